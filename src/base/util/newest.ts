/** Puts an entry behind all others of `map`, and forgets the first where there are more than `entriesMax`: a map that
 *  is written by this alone has its entries in the order in which they were set last. */
export function setNewest<K, V>(map: Map<K, V>, [key, value]: [K, V], entriesMax: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > entriesMax) map.delete(map.keys().next().value as K)
}
