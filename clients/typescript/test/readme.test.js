// The examples of the README are compiled as a reader's code would be, so that none can be wrong; and what must not
// compile does not.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Compiles sources as strict modules beside the package, and gives what the compiler says. */
function compile(sources) {
  const options = {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [], exactOptionalPropertyTypes: true,
  }
  const files = new Map(sources.map((text, at) => [`${root}example-${at + 1}.ts`, text]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, language) => (files.has(name) ? ts.createSourceFile(name, files.get(name), language) : getSourceFile(name, language))
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => ({
    line: diagnostic.file && `${diagnostic.file.fileName.slice(root.length)}:${diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line + 1}`,
    text: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
  }))
}

test('the examples of the README compile', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8')
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)
  assert.ok(examples.length >= 5, `${examples.length} examples`)
  assert.deepEqual(compile(examples), [])
})

test('what the contract does not allow does not compile', () => {
  const wrong = [
    'client.idv.session.read({})',
    'client.idv.session.read()',
    "client.idv.session.read({ session_id: 's', extra: 1 })",
    "client.idv.sdk.consent.add({ consented: true })",
    "client.idv.sdk.document.type.update({ session_id: 's', document_type_e: 'library_card' })",
    "client.idv.document.download({ session_id: 's', storage_file_type_e: 'diary' })",
    "client.idv.weights.update({ idv_session_tolerance: 0.9 })",
    'client.idv.weights.getById()',
    'client.ida.session.create()',
    'sdk.idv.consent.add({})',
    "sdk.idv.document.front.add({ latitude: 1, longitude: 2, image: 'a path' })",
    'sdk.idv.session.create({})',
    'const nothing: string = (await client.idv.session.delete({ session_id: "s" }))',
    'const verified: string = (await sdk.idv.finalize()).verified',
    "new KycSdk({ baseUrl: 'x', clientId: 'c', token: 't' })",
  ]
  const head = "import { KycClient, KycSdk } from 'kycd-client'\ndeclare const client: KycClient, sdk: KycSdk\n"
  const said = compile(wrong.map((line) => `${head}${line}\nexport {}\n`))
  const refused = new Set(said.map(({ line }) => line))
  wrong.forEach((line, at) => assert.ok(refused.has(`example-${at + 1}.ts:3`), `this compiles: ${line}`))
})

test('what the contract allows compiles', () => {
  const right = `
    import { KycClient, KycSdk } from 'kycd-client'
    declare const client: KycClient, sdk: KycSdk, picture: Uint8Array, page: { take: number }
    await client.idv.session.create()
    await client.idv.session.list({ ...page, client_id: ['a', 'b'], start_date: null })
    await client.idv.sdk.consent.add({ session_id: 's', consented: true })
    const version: string = (await client.version()).version
    const session = await sdk.idv.session.read({})
    const given: boolean = session.selfie_given
    await sdk.idv.document.front.add({ latitude: '1', longitude: 2, image: picture })
    await sdk.idv.liveness.process({ latitude: 1, longitude: 2, images: [picture, 'base64'] })
    const name: string | null = (await client.ida.session.read({ session_id: 's' })).first_name
    export { version, given, name }`
  assert.deepEqual(compile([right]), [])
})
