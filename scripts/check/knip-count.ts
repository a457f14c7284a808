import type { Reporter } from 'knip'

/** Says how many files knip looked at: silence alone is also what it has to say about none. */
const count: Reporter = ({ counters, write }) => {
  write?.(`${counters.processed} files looked at\n`)
}

export default count
