'use strict';
// Prints what face-api answers of pictures that are not squares, its own padding and scaling included.
//
//   node attributes.js MODELS > outputs.json
//
// MODELS is a filled models folder. The pictures are drawn from a seed, so that the comparison needs no photograph: the
// same bytes can be drawn by whoever tests another implementation.
const fs = require('fs');
const path = require('path');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

// pixels is a picture of width × height × 3 bytes, channels last: an ellipse of one colour upon another, with grain from a
// linear congruential generator. It uses integers alone.
function pixels(seed, width, height) {
  let state = BigInt(seed);
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xFFFFFFFFFFFFFFFFn;
    return Number(state >> 33n);
  };
  const colours = Array.from({ length: 6 }, () => next() % 224);
  const out = new Float32Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [2 * x - width, 2 * y - height];
      const inside = dx * dx * height * height + dy * dy * width * width < width * width * height * height ? 3 : 0;
      for (let c = 0; c < 3; c++, i++) out[i] = colours[inside + c] + next() % 32;
    }
  }
  return out;
}

function load(models, net, file) {
  const json = JSON.parse(fs.readFileSync(path.join(models, file + '-weights_manifest.json'), 'utf8'));
  const bin = fs.readFileSync(path.join(models, file + '.bin'));
  const weights = faceapi.tf.io.decodeWeights(bin.buffer.slice(bin.byteOffset, bin.byteOffset + bin.length), json.flatMap((g) => g.weights));
  net.loadFromWeightMap(weights);
  return net;
}

async function main([models]) {
  if (!models) throw new Error('usage: node attributes.js MODELS');
  await faceapi.tf.setBackend('cpu');
  await faceapi.tf.ready();
  const ageGender = load(models, new faceapi.AgeGenderNet(), 'age_gender_model');
  const expression = load(models, new faceapi.FaceExpressionNet(), 'face_expression_model');
  const cases = [];
  for (const [seed, width, height] of [[1, 112, 112], [2, 90, 121], [3, 301, 260], [4, 57, 58], [5, 640, 800], [6, 33, 20]]) {
    const image = faceapi.tf.tensor(pixels(seed, width, height), [height, width, 3]);
    const { age, gender, genderProbability } = await ageGender.predictAgeAndGender(image);
    const shown = await expression.predictExpressions(image);
    cases.push({ seed, width, height, age, gender, genderProbability, expressions: { ...shown } });
  }
  process.stdout.write('[\n' + cases.map((c) => JSON.stringify(c, (_, v) => (typeof v === 'number' ? Number(v.toPrecision(7)) : v))).join(',\n') + '\n]\n');
}

main(process.argv.slice(2)).catch((err) => {
  process.stderr.write(`${err.stack}\n`);
  process.exitCode = 1;
});
