/** A picture as browsers and Node hold it: a file, what a canvas gave, the bytes that were read. */
export type Image = Blob | Uint8Array | ArrayBuffer

export function toBlob(image: Image): Blob {
  return isBlob(image) ? image : new Blob([image as BlobPart])
}

/** The picture in base64, as liveness frames are sent. */
export async function toBase64(image: Image): Promise<string> {
  const bytes = toBytes(isBlob(image) ? await image.arrayBuffer() : image)
  const pieces: string[] = []
  // A piece is a multiple of three bytes, so that their texts can be joined, and fits into one call's arguments.
  for (let at = 0; at < bytes.length; at += 24576) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 24576))))
  }
  return pieces.join('')
}

export function toBytes(data: Uint8Array | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

/** Not instanceof: a picture may come from another window, and in tests from another realm. */
function isBlob(image: Image): image is Blob {
  return 'arrayBuffer' in image
}
