interface Sent {
  /** The sender's mailbox, as the key of a Map. */
  readonly from: string
}

/** Letters that are to be sent: in order for each sender, and the senders one after the other, so that whoever has
 *  a thousand of them does not stand before whoever has one. */
export class LetterQueue<Letter extends Sent> implements Iterable<Letter> {
  /** By sender, in the order of their turns; none is empty. */
  readonly #bySender = new Map<string, Letter[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get senders(): number {
    return this.#bySender.size
  }

  /** The next letter of the sender whose turn it is. */
  get first(): Letter | undefined {
    const [letters] = this.#bySender.values()
    return letters?.[0]
  }

  /** The next letter of each sender. */
  heads(): Letter[] {
    return Array.from(this.#bySender.values(), ([head]) => head as Letter)
  }

  *[Symbol.iterator](): Iterator<Letter> {
    for (const letters of this.#bySender.values()) yield* letters
  }

  /** Behind the others of its sender. */
  add(letter: Letter): void {
    this.#of(letter).push(letter)
    this.#size++
  }

  /** Before the others of its sender. */
  addFirst(letter: Letter): void {
    this.#of(letter).unshift(letter)
    this.#size++
  }

  /** A letter that is not in it is no error. */
  delete(letter: Letter): void {
    const letters = this.#bySender.get(letter.from) ?? []
    const place = letters.indexOf(letter)
    if (place < 0) return
    letters.splice(place, 1)
    this.#size--
    if (letters.length === 0) this.#bySender.delete(letter.from)
  }

  /** It is the next sender's turn. */
  pass(): void {
    const [first] = this.#bySender
    if (!first) return
    const [sender, letters] = first
    this.#bySender.delete(sender)
    this.#bySender.set(sender, letters)
  }

  #of({ from }: Letter): Letter[] {
    const known = this.#bySender.get(from)
    if (known) return known
    const letters: Letter[] = []
    this.#bySender.set(from, letters)
    return letters
  }
}
