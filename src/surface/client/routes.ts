/**
 * The control API as one table: what is not listed here does not exist. The daemon serves it, the
 * client calls it, and both take their types from it.
 * @module
 */

import type { z } from 'zod'
import { holderRoutes } from './holder-routes.ts'
import { householdRoutes } from './household-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { limitRoutes } from './limit-routes.ts'
import { nodeRoutes } from './node-routes.ts'
import { oversightRoutes } from './oversight-routes.ts'
import { personRoutes } from './person-routes.ts'
import { portabilityRoutes } from './portability-routes.ts'

export const routes = {
  ...nodeRoutes,
  ...limitRoutes,
  ...holderRoutes,
  ...householdRoutes,
  ...portabilityRoutes,
  ...personRoutes,
  ...oversightRoutes,
  ...keyRoutes,
} as const

export type RouteName = keyof typeof routes
type Routes = typeof routes

type Input<N extends RouteName, Part extends 'params' | 'body'> = Routes[N] extends {
  [P in Part]: infer Schema extends z.ZodType
}
  ? { readonly [P in Part]: z.input<Schema> }
  : unknown

type Checked<N extends RouteName, Part extends 'params' | 'body'> = Routes[N] extends {
  [P in Part]: infer Schema extends z.ZodType
}
  ? { readonly [P in Part]: z.output<Schema> }
  : unknown

/** What a caller of the route says. */
export type Asked<N extends RouteName> = Input<N, 'params'> & Input<N, 'body'>

/** The same after the checks, with defaults. */
export type Request<N extends RouteName> = Checked<N, 'params'> & Checked<N, 'body'>

/** What the route answers; one line of it where it answers lines. */
export type Answer<N extends RouteName> = z.output<Routes[N]['answer']>

/** The routes that answer a text. */
export type TextRoute = {
  [N in RouteName]: Routes[N] extends { text: string } ? N : never
}[RouteName]

/** The routes that answer bytes. */
export type BytesRoute = {
  [N in RouteName]: Routes[N] extends { bytes: true } ? N : never
}[RouteName]

/** The routes that take bytes. */
export type PieceRoute = {
  [N in RouteName]: Routes[N] extends { piece: true } ? N : never
}[RouteName]

/** The routes that answer newline-delimited JSON. */
export type LineRoute = {
  [N in RouteName]: Routes[N] extends { lines: true } ? N : never
}[RouteName]
