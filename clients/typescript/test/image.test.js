import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { toBase64 } from 'kycd-client'

test('base64 is the same as Node gives, at every length around a piece', async () => {
  for (const length of [0, 1, 2, 3, 24575, 24576, 24577, 3 * 24576 + 1, 5_000_000]) {
    const bytes = randomBytes(length)
    assert.equal(await toBase64(bytes), bytes.toString('base64'), `${length} bytes`)
    assert.equal(await toBase64(new Blob([bytes])), bytes.toString('base64'))
  }
})

test('of a larger buffer only the view is taken', async () => {
  const all = Uint8Array.from([1, 2, 3, 4, 5])
  assert.equal(await toBase64(all.subarray(1, 3)), Buffer.from([2, 3]).toString('base64'))
  assert.equal(await toBase64(all.buffer), Buffer.from(all).toString('base64'))
})
