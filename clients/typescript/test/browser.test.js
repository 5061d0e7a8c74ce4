// The package without anything of Node: first in a context that has what browsers have and no more, then, where
// KYCD_CHROMIUM names one, in a real browser.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { webcrypto as crypto } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import vm from 'node:vm'

const dist = new URL('../dist/', import.meta.url)

/** What the package may use; all of it is in every browser. */
const web = {
  AbortController, AbortSignal, Blob, FormData, Headers, Response, TextDecoder, TextEncoder, URL, URLSearchParams,
  atob, btoa, clearTimeout, crypto, fetch, setTimeout,
}

/** What a page does with the package. It is run in both places, and reports what it saw. */
async function page({ KycClient, KycSdk, toBase64, verifyWebhook }, baseUrl, webhook) {
  const caught = (call) => call.then(() => 'no error', ({ name, status, code, retryAfter }) => ({ name, status, code, retryAfter }))
  const sdk = new KycSdk({ baseUrl, clientId: 'c', sessionId: 's', token: 't', environment: { random: () => 0 } })
  return {
    consent: await sdk.idv.consent.add({ consented: true }),
    session: await sdk.idv.session.read({}),
    upload: await sdk.idv.document.front.add({ latitude: 1, longitude: 2, image: new Uint8Array([1, 2, 3]) }),
    liveness: await sdk.idv.liveness.process({ latitude: 1, longitude: 2, images: [new Blob([new Uint8Array([255])])] }),
    refused: await caught(sdk.idv.finalize({})),
    redirected: (await caught(sdk.ida.finalize({}))).name,
    late: await caught(sdk.ida.session.read({}, { timeoutMs: 200 })).then(({ name }) => name),
    aborted: await caught(sdk.idv.metadata.update({ sdk_metadata: {} }, { signal: AbortSignal.abort() })).then(({ name }) => name),
    base64: await toBase64(new Uint8Array([1, 2, 3, 4])),
    webhook: (await verifyWebhook(webhook)).type,
    backend: typeof KycClient,
  }
}

const expected = {
  session: { status_e: 'in_progress' },
  upload: { hints: ['glare'], attempts: 1 },
  liveness: { token: '' },
  refused: { name: 'KycError', status: 429, code: 'too_many_requests', retryAfter: 999 },
  redirected: 'KycError',
  late: 'KycTimeoutError',
  aborted: 'AbortError',
  base64: 'AQIDBA==',
  webhook: 'idv.session.complete',
  backend: 'function',
}

/** The server's side: it allows pages of other origins what kycd allows them. */
function api(received) {
  let uploads = 0
  return createServer(async (request, response) => {
    const body = []
    for await (const piece of request) body.push(piece)
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization, content-type, x-client-id, idempotency-key')
    response.setHeader('access-control-expose-headers', 'x-request-id, retry-after, idempotency-replayed')
    if (request.method === 'OPTIONS') return response.writeHead(204).end()
    received.push({ url: request.url, headers: request.headers, body: Buffer.concat(body) })
    response.setHeader('content-type', 'application/json')
    switch (request.url) {
      case '/v2/idv/sdk/session/read':
        return response.end('{"status_e":"in_progress"}')
      case '/v2/idv/sdk/document/front/add':
        return ++uploads === 1 ? response.destroy() : response.end('{"hints":["glare"],"attempts":1}')
      case '/v2/idv/sdk/liveness/process':
        return response.end('{"token":""}')
      case '/v2/idv/sdk/finalize':
        return response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '999' }).end('{"code":"too_many_requests"}')
      case '/v2/ida/sdk/finalize':
        return response.writeHead(307, { location: '/elsewhere' }).end()
      case '/v2/ida/sdk/session/read':
        return undefined // no answer at all
      default:
        return response.end('{}')
    }
  })
}

async function listening(server, use) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${server.address().port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function message() {
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const at = Math.floor(Date.now() / 1000)
  const body = JSON.stringify({ type: 'idv.session.complete', timestamp: '2030-01-01T12:00:00Z', data: {} })
  const signature = Buffer.from(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`m.${at}.${body}`))).toString('base64')
  return {
    secret: `whsec_${Buffer.from(raw).toString('base64')}`, body,
    headers: { 'webhook-id': 'm', 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` },
  }
}

function check(seen, received) {
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), expected)
  const uploads = received.filter(({ url }) => url.endsWith('/front/add'))
  assert.equal(uploads.length, 2)
  assert.ok(uploads[0].body.equals(uploads[1].body), 'the body changed')
  assert.equal(uploads[0].headers['idempotency-key'], uploads[1].headers['idempotency-key'])
  assert.match(uploads[0].headers['idempotency-key'], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual(received.filter(({ url }) => url === '/elsewhere'), [])
}

test('the package needs nothing of Node', async () => {
  const context = vm.createContext({ ...web })
  const modules = new Map()
  const load = async (url) => {
    if (!modules.has(url)) modules.set(url, new vm.SourceTextModule(await readFile(new URL(url), 'utf8'), { context, identifier: url }))
    return modules.get(url)
  }
  const entry = await load(new URL('index.js', dist).href)
  await entry.link((specifier, from) => {
    assert.match(specifier, /^\.\//, `${from.identifier} imports ${specifier}`)
    return load(new URL(specifier, from.identifier).href)
  })
  await entry.evaluate()
  const received = []
  await listening(api(received), async (baseUrl) => {
    const run = vm.runInContext(`(${page})`, context)
    check(await run(entry.namespace, baseUrl, await message()), received)
  })
})

const chromium = process.env.KYCD_CHROMIUM

test('the package works in a browser, on a page of another origin', { skip: !chromium && 'KYCD_CHROMIUM names no browser' }, async () => {
  const received = []
  const profile = await mkdtemp(join(tmpdir(), 'kycd-client-'))
  try {
    await listening(api(received), async (baseUrl) => {
      const html = `<!doctype html><meta charset="utf-8"><pre id="seen"></pre><script type="module">
        import * as kyc from './index.js'
        const run = ${page}
        const seen = await run(kyc, ${JSON.stringify(baseUrl)}, ${JSON.stringify(await message())}).catch((error) => ({ error: String(error) }))
        await fetch('/report', { method: 'POST', body: JSON.stringify(seen) })
      </script>`
      let report
      const reported = new Promise((resolve) => (report = resolve))
      const pages = createServer(async (request, response) => {
        if (request.url === '/report') {
          const body = []
          for await (const piece of request) body.push(piece)
          report(JSON.parse(Buffer.concat(body)))
          return response.end()
        }
        const script = request.url.endsWith('.js')
        response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
        return response.end(script ? await readFile(new URL(`.${request.url}`, dist)) : html)
      })
      await listening(pages, async (address) => {
        const controller = new AbortController()
        const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0', `--user-data-dir=${profile}`]
        const browser = promisify(execFile)(chromium, [...flags, address], { signal: controller.signal })
        browser.catch(() => {}) // it is ended below
        const seen = await Promise.race([reported, browser.then(() => assert.fail('the browser ended before its page had reported'))])
        controller.abort()
        await browser.catch(() => {})
        check(seen, received)
      })
    })
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  }
})
