/** Names that look alike to a hurried reader are the same name: equal names fold to equal texts. */
export function foldedName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}
