import type { components, paths } from './generated/api.js'
import type { CallOptions } from './request.js'
import { type Image, toBase64 } from './image.js'

/** The named objects of the contract: `Schemas['IdvSession']`. */
export type Schemas = components['schemas']

type Method = 'get' | 'post' | 'put'
/** An operation of the contract. A method that a path does not have is undefined there, and extends nothing of this. */
type Operation<M extends Method, P extends keyof paths> = paths[P] extends Record<M, infer O> ? O : never
type PathWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: object }> ? P : never }[keyof paths]

type BodyOf<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : never
/** What a call gives. An empty object says no more than that it is done. */
type AnswerOf<O> = O extends { responses: { 200: { content: { 'application/json': infer A } } } } ? (A extends Record<string, never> ? void : A) : never

/** B without the fields that the client fills in by itself; they may still be given. */
type Filled<B, K extends string> = Omit<B, K> & Partial<Pick<B, K & keyof B>>

/** A body of which nothing is needed may be left out. */
type Arguments<B> = {} extends B ? [body?: B, options?: CallOptions] : [body: B, options?: CallOptions]

export type Post<P extends PathWith<'post'>, K extends string = never> = (
  ...args: Arguments<Filled<BodyOf<Operation<'post', P>>, K>>
) => Promise<AnswerOf<Operation<'post', P>>>
export type Put<P extends PathWith<'put'>> = (...args: Arguments<BodyOf<Operation<'put', P>>>) => Promise<AnswerOf<Operation<'put', P>>>
export type Get<P extends PathWith<'get'>> = (options?: CallOptions) => Promise<AnswerOf<Operation<'get', P>>>
export type Query<P extends PathWith<'get'>> = (
  query?: QueryOf<Operation<'get', P>>,
  options?: CallOptions,
) => Promise<AnswerOf<Operation<'get', P>>>
export type ById<P extends PathWith<'get'>> = (id: string, options?: CallOptions) => Promise<AnswerOf<Operation<'get', P>>>
/** A picture with its content type: `blob.type`, `await blob.arrayBuffer()`. */
export type Download<P extends PathWith<'post'>> = (body: BodyOf<Operation<'post', P>>, options?: CallOptions) => Promise<Blob>

/** A picture of one side of a document. Degrees are WGS 84. */
export interface DocumentPicture {
  session_id: string
  latitude: number | string
  longitude: number | string
  /** JPEG, PNG or WebP, at most 15 MiB. */
  image: Image
}
export type Upload<K extends string = never> = (body: Filled<DocumentPicture, K>, options?: CallOptions) => Promise<Schemas['DocumentTaken']>

/** The frames of a liveness session; strings are base64 or data: URLs already, as canvas.toDataURL() gives them. */
export interface LivenessFrames {
  session_id: string
  latitude: number
  longitude: number
  images?: (Image | string)[] | undefined
}
export type Frames<K extends string = never> = (body: Filled<LivenessFrames, K>, options?: CallOptions) => Promise<Schemas['LivenessProcessed']>

/** How a call is made. */
export interface Caller {
  get(path: string, query?: object, options?: CallOptions): Promise<unknown>
  /** A state of health is an answer also where it is bad and the status 503. */
  probe(path: string, options?: CallOptions): Promise<unknown>
  /** Some calls take longer than others, see Duration. */
  send(method: 'POST' | 'PUT', path: string, body: object, options?: CallOptions, duration?: Duration): Promise<unknown>
  download(path: string, body: object, options?: CallOptions): Promise<Blob>
  upload(path: string, body: Partial<DocumentPicture>, options?: CallOptions): Promise<unknown>
}

/** Plain requests; those that carry pictures; those that wait for a decision. */
export type Duration = 'plain' | 'pictures' | 'decision'

/** The types of the makers below are those of the contract; what goes over the wire is checked by the server. */
function makers<K extends string>(call: Caller) {
  return {
    get: <P extends PathWith<'get'>>(path: P) => ((options) => call.get(path, undefined, options)) as Get<P>,
    query: <P extends PathWith<'get'>>(path: P) => ((query, options) => call.get(path, query as object | undefined, options)) as Query<P>,
    byId: <P extends PathWith<'get'>>(path: P) =>
      ((id, options) => call.get(path.replace('{id}', encodeURIComponent(id)), undefined, options)) as ById<P>,
    probe: <P extends PathWith<'get'>>(path: P) => ((options) => call.probe(path, options)) as Get<P>,
    post: <P extends PathWith<'post'>>(path: P, duration?: Duration) =>
      ((body: object = {}, options?: CallOptions) => call.send('POST', path, body, options, duration)) as Post<P, K>,
    put: <P extends PathWith<'put'>>(path: P) =>
      ((body: object = {}, options?: CallOptions) => call.send('PUT', path, body, options)) as Put<P>,
    download: <P extends PathWith<'post'>>(path: P) => ((body, options) => call.download(path, body as object, options)) as Download<P>,
    upload: (path: PathWith<'post'>) => ((body, options) => call.upload(path, body as Partial<DocumentPicture>, options)) as Upload<K>,
    frames: (path: PathWith<'post'>) =>
      (async (body, options) => {
        const { images, ...rest } = body as Partial<LivenessFrames>
        const encoded = images && (await Promise.all(images.map((image) => (typeof image === 'string' ? image : toBase64(image)))))
        return call.send('POST', path, { ...rest, ...(encoded && { images: encoded }) }, options, 'pictures')
      }) as Frames<K>,
  }
}

/** What every caller may ask. Names are the last part of the path. */
export function utilityOperations(call: Caller) {
  const { get, probe } = makers<never>(call)
  return {
    root: get('/'),
    ping: get('/ping'),
    status: get('/status'),
    metrics: get('/metrics'),
    live: probe('/live'),
    ready: probe('/ready'),
    healthz: probe('/healthz'),
    health: probe('/health'),
    version: get('/version'),
  }
}

/** The operations of a device: /v2/idv/sdk/…, /v2/ida/sdk/… and /v2/identity/sdk/…. K is what inSession fills in. */
export function deviceOperations<K extends string = never>(call: Caller, inSession: Caller) {
  const { post, upload, frames } = makers<K>(inSession)
  return {
    /** Verification of an identity. */
    idv: {
      metadata: { update: post('/v2/idv/sdk/metadata/update') },
      liveness: { generate: post('/v2/idv/sdk/liveness/generate'), process: frames('/v2/idv/sdk/liveness/process') },
      session: { read: post('/v2/idv/sdk/session/read') },
      consent: { add: post('/v2/idv/sdk/consent/add') },
      document: {
        type: { update: post('/v2/idv/sdk/document/type/update') },
        front: { add: upload('/v2/idv/sdk/document/front/add') },
        back: { add: upload('/v2/idv/sdk/document/back/add') },
      },
      finalize: post('/v2/idv/sdk/finalize', 'decision'),
    },
    /** Authentication of an identity that was verified before. */
    ida: {
      metadata: { update: post('/v2/ida/sdk/metadata/update') },
      liveness: { generate: post('/v2/ida/sdk/liveness/generate'), process: frames('/v2/ida/sdk/liveness/process') },
      session: { read: post('/v2/ida/sdk/session/read') },
      finalize: post('/v2/ida/sdk/finalize', 'decision'),
    },
    identity: {
      status: { read: makers<never>(call).post('/v2/identity/sdk/status/read') },
    },
  }
}

/** The operations of a backend. Names are the parts of the path; those of a device are below sdk. */
export function backendOperations(call: Caller) {
  const { query, byId, post, put, download } = makers<never>(call)
  const device = deviceOperations(call, call)
  return {
    /** Verification of identities. */
    idv: {
      sdk: device.idv,
      session: {
        create: post('/v2/idv/session/create'),
        read: post('/v2/idv/session/read'),
        list: post('/v2/idv/session/list'),
        location: { read: post('/v2/idv/session/location/read') },
        /** What each check said, and how the decision came about. */
        test: { read: post('/v2/idv/session/test/read') },
        anonymize: post('/v2/idv/session/anonymize'),
        delete: post('/v2/idv/session/delete'),
      },
      document: {
        read: post('/v2/idv/document/read'),
        list: post('/v2/idv/document/list'),
        download: download('/v2/idv/document/download'),
      },
      requirements: { get: query('/v2/idv/requirements'), update: put('/v2/idv/requirements') },
      weights: { get: query('/v2/idv/weights'), update: put('/v2/idv/weights'), getById: byId('/v2/idv/weights/{id}') },
    },
    /** Authentication of identities that were verified before. */
    ida: {
      sdk: device.ida,
      session: {
        create: post('/v2/ida/session/create'),
        read: post('/v2/ida/session/read'),
        list: post('/v2/ida/session/list'),
        location: { read: post('/v2/ida/session/location/read') },
        delete: post('/v2/ida/session/delete'),
      },
      document: { download: download('/v2/ida/document/download') },
    },
    identity: {
      sdk: device.identity,
      list: post('/v2/identity/list'),
      read: post('/v2/identity/read'),
      document: { read: post('/v2/identity/document/read') },
      image: { read: download('/v2/identity/image/read') },
      anonymize: post('/v2/identity/anonymize'),
    },
    webhook: {
      create: post('/v2/webhook/create'),
      list: post('/v2/webhook/list'),
      delete: post('/v2/webhook/delete'),
    },
  }
}
