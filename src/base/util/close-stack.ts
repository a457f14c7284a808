/** What was opened is closed in reverse order. @module */

export interface Closeable {
  close(): Promise<void> | void
}

export class CloseStack implements Closeable {
  readonly #open: Closeable[] = []

  /** Takes ownership of `resource` and returns it. */
  add<T extends Closeable>(resource: T): T {
    this.#open.push(resource)
    return resource
  }

  /** Closes everything, last first, each even where an earlier close failed.
   *  @throws the one error, or an AggregateError of several. */
  async close(): Promise<void> {
    const errors: unknown[] = []
    for (let resource = this.#open.pop(); resource; resource = this.#open.pop()) {
      try {
        await resource.close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, 'several resources failed to close')
  }

  /** Closes everything after `error` and returns `error`, for the caller to throw. */
  async fail(error: unknown): Promise<unknown> {
    try {
      await this.close()
    } catch (closing) {
      return new AggregateError([error, closing], 'a start failed, and so did its undoing')
    }
    return error
  }
}
