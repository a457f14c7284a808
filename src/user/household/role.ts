/** Who a person is in the household. @module */

export const roles = ['admin', 'adult', 'child', 'guest'] as const
export type Role = (typeof roles)[number]
