import t from 'tap'
import {
  AbzuError,
  assert,
  errorCodes,
  isAbzuError,
  toAbzuError,
} from '../../../src/base/util/errors.ts'

t.test('an error is known by its code and keeps its cause', async (t) => {
  const cause = new Error('deep')
  const error = new AbzuError('ABZU_IO', 'no such file', { cause })
  t.match(error, { name: 'AbzuError', code: 'ABZU_IO', message: 'no such file', cause })
  t.ok(isAbzuError(error))
  t.ok(isAbzuError(error, 'ABZU_IO'))
  t.notOk(isAbzuError(error, 'ABZU_DENIED'))
  t.notOk(isAbzuError({ code: 'ABZU_IO' }))
})

t.test('what was not foreseen is internal, and not explained away', async (t) => {
  const error = new AbzuError('ABZU_IO', 'x')
  t.equal(toAbzuError(error), error)
  const bug = new TypeError('undefined is not a function')
  const told = toAbzuError(bug)
  t.equal(told.code, 'ABZU_INTERNAL')
  t.equal(told.cause, bug)
  t.notMatch(told.message, /undefined/)
})

t.test('codes are distinct', async (t) => {
  t.equal(new Set(errorCodes).size, errorCodes.length)
})

t.test('an assertion is a bug, not a code', async (t) => {
  t.doesNotThrow(() => assert(true, 'fine'))
  t.throws(() => assert(false, 'broken'), { message: 'assertion failed: broken', name: 'Error' })
})
