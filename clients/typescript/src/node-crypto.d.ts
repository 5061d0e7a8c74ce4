/** The one thing that is taken from Node; its types would bring all of Node's into a library for browsers. */
declare module 'node:crypto' {
  export const webcrypto: Crypto
}
