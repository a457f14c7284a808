/** What a handler is given and what it gives back, by its route. @module */

import type {
  Answer,
  BytesRoute,
  LineRoute,
  PieceRoute,
  Request,
  RouteName,
  routes,
} from '../client/routes.ts'
import type { MemberService } from './services.ts'

/** A checked request. Whom it acts as comes from its session and from nowhere else. */
export type Call<N extends RouteName> = Request<N> & {
  /** Aborts when the caller is gone, the time is over or the API closes. */
  readonly signal: AbortSignal
} & (N extends PieceRoute ? { readonly body: Uint8Array } : unknown) &
  ((typeof routes)[N]['caller'] extends 'member'
    ? { readonly member: MemberService }
    : { readonly member: MemberService | undefined })

export type Handlers = {
  readonly [N in RouteName]: (
    call: Call<N>,
  ) => N extends LineRoute
    ? AsyncIterable<Answer<N>>
    : N extends BytesRoute
      ? Promise<AsyncIterable<Uint8Array>>
      : Promise<Answer<N>>
}
