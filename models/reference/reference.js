'use strict';
// Prints what the published networks answer, as their own package or TensorFlow.js runs them.
//
//   node reference.js MODELS [NETWORK | NETWORK=FILE…] > outputs.json
//
// MODELS is a filled models folder. The input of each network is a picture drawn from a seed (see pixels), so that the
// comparison needs no photograph: the same bytes can be drawn by whoever tests a conversion. FILE is a picture of one's
// own instead: its pixels as bytes, row after row, the colours of each together, of the size that the network takes.
const fs = require('fs');
const path = require('path');
const tf = require('@tensorflow/tfjs');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

// pixels is a picture of edge × edge × channels bytes, channels last: coarse patches of colour with grain upon them, from
// a linear congruential generator. It leaves every network far from its limits, and uses integers alone.
function pixels(seed, edge, channels) {
  if (typeof seed === 'string') {
    const bytes = fs.readFileSync(seed);
    if (bytes.length !== edge * edge * channels) throw new Error(`${seed}: ${bytes.length} bytes are not ${edge}×${edge}×${channels}`);
    return Float32Array.from(bytes);
  }
  let state = BigInt(seed);
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xFFFFFFFFFFFFFFFFn;
    return Number(state >> 33n);
  };
  const patches = Array.from({ length: 64 * channels }, () => next() % 192);
  const out = new Float32Array(edge * edge * channels);
  for (let y = 0, i = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const patch = Math.floor(y * 8 / edge) * 8 + Math.floor(x * 8 / edge);
      for (let c = 0; c < channels; c++, i++) out[i] = patches[patch * channels + c] + next() % 64;
    }
  }
  return out;
}

// graph loads a graph model from its two files.
function graph(models, name) {
  const json = JSON.parse(fs.readFileSync(path.join(models, name + '.json'), 'utf8'));
  const bin = fs.readFileSync(path.join(models, name + '.bin'));
  return tf.loadGraphModel(tf.io.fromMemory({
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: json.weightsManifest.flatMap((g) => g.weights),
    weightData: bin.buffer.slice(bin.byteOffset, bin.byteOffset + bin.length),
  }));
}

// run executes a graph model; scale and offset are what the package does with bytes before it.
async function run(models, name, edge, channels, scale, offset, outputs, seed) {
  const model = await graph(models, name);
  const input = tf.tensor(pixels(seed, edge, channels), [1, edge, edge, channels]).mul(scale).add(offset);
  const nodes = Object.values(outputs);
  const results = [model.execute(input, nodes)].flat();
  return Object.fromEntries(Object.keys(outputs).map((key, i) => [key, Array.from(results[i].dataSync())]));
}

// own loads one of face-api's networks, which are code. Its input are bytes; the package normalises them.
async function own(models, net, file, seed, answer) {
  const json = JSON.parse(fs.readFileSync(path.join(models, file + '-weights_manifest.json'), 'utf8'));
  const bin = fs.readFileSync(path.join(models, file + '.bin'));
  const weights = faceapi.tf.io.decodeWeights(bin.buffer.slice(bin.byteOffset, bin.byteOffset + bin.length), json.flatMap((g) => g.weights));
  net.loadFromWeightMap(weights);
  const image = faceapi.tf.tensor(pixels(seed, 112, 3), [112, 112, 3]);
  return answer(net, new faceapi.NetInput([image]));
}

const networks = {
  mobileface: (m, seed) => run(m, 'mobileface', 112, 3, 1, 0, { embedding: 'batchnorm0/add_1' }, seed),
  faceres: (m, seed) => run(m, 'faceres', 224, 3, 1, 0,
    { age: 'age_pred/Softmax', gender: 'gender_pred/Sigmoid', descriptor: 'global_pooling/Mean' }, seed),
  facemesh: (m, seed) => run(m, 'facemesh', 192, 3, 1 / 255, 0, { mesh: 'Identity_2', face: 'Identity_1', contours: 'Identity' }, seed),
  iris: (m, seed) => run(m, 'iris', 64, 3, 1 / 255, 0, { points: 'Identity' }, seed),
  emotion: (m, seed) => run(m, 'emotion', 64, 1, 2 / 255, -1, { emotion: 'Identity' }, seed),
  age_gender: (m, seed) => own(m, new faceapi.AgeGenderNet(), 'age_gender_model', seed, (net, input) => {
    const { age, gender } = net.forwardInput(input);
    return { age: Array.from(age.dataSync()), gender: Array.from(gender.dataSync()) };
  }),
  expression: (m, seed) => own(m, new faceapi.FaceExpressionNet(), 'face_expression_model', seed,
    (net, input) => ({ expression: Array.from(net.forwardInput(input).dataSync()) })),
  landmarks: (m, seed) => own(m, new faceapi.FaceLandmark68Net(), 'face_landmark_68_model', seed, (net, input) => {
    input.toBatchTensor(112, true);
    return { points: Array.from(net.forwardInput(input).dataSync()) };
  }),
};

async function main([models, ...wanted]) {
  if (!models) throw new Error('usage: node reference.js MODELS [NETWORK | NETWORK=FILE…]');
  for (const t of [tf, faceapi.tf]) {
    await t.setBackend('cpu');
    await t.ready();
  }
  const cases = [];
  for (const argument of wanted.length ? wanted : Object.keys(networks)) {
    const [name, file] = argument.split('=');
    if (!networks[name]) throw new Error(`no network ${name}; there are ${Object.keys(networks).join(', ')}`);
    for (const seed of file ? [file] : [1, 2]) {
      const outputs = await networks[name](models, seed);
      for (const key of Object.keys(outputs)) outputs[key] = outputs[key].map((v) => Number(v.toPrecision(7)));
      cases.push({ network: name, seed, outputs });
    }
  }
  process.stdout.write('[\n' + cases.map((c) => JSON.stringify(c)).join(',\n') + '\n]\n');
}

main(process.argv.slice(2)).catch((err) => {
  process.stderr.write(`${err.stack}\n`);
  process.exitCode = 1;
});
