import { webcrypto } from 'node:crypto'

// Node 18 has the WebCrypto of browsers, but under another name.
globalThis.crypto ??= webcrypto

export * from './index.js'
