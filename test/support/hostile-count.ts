/** Hostile inputs for each decoder: as many as leave a commit's checks their other minutes. */
export const hostileInputsEach = 25_000
