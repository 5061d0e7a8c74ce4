package main

/*
#cgo amd64 CFLAGS: -O3 -march=x86-64-v3 -ffast-math
#cgo !amd64 CFLAGS: -O3 -ffast-math

static void forward(int batch, int in, int out, const float *x, const float *w, const float *bias, float *y) {
	for (int j = 0; j < out; j += 1) {
		const float *row = w + (long)j * in;
		int b = 0;
		for (; b + 3 < batch; b += 4) {
			const float *x0 = x + (long)b * in, *x1 = x0 + in, *x2 = x1 + in, *x3 = x2 + in;
			float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
			for (int i = 0; i < in; i++) {
				float v = row[i];
				s0 += v * x0[i]; s1 += v * x1[i]; s2 += v * x2[i]; s3 += v * x3[i];
			}
			y[(long)b * out + j] = s0 + bias[j];
			y[(long)(b + 1) * out + j] = s1 + bias[j];
			y[(long)(b + 2) * out + j] = s2 + bias[j];
			y[(long)(b + 3) * out + j] = s3 + bias[j];
		}
		for (; b < batch; b++) {
			float s = 0;
			for (int i = 0; i < in; i++) s += row[i] * x[(long)b * in + i];
			y[(long)b * out + j] = s + bias[j];
		}
	}
}

static void backward(int batch, int in, int out, const float *x, const float *w, const float *dy, float *gw, float *gb, float *dx) {
	for (int j = 0; j < out; j++) {
		float *grad = gw + (long)j * in;
		for (int b = 0; b < batch; b++) {
			float d = dy[(long)b * out + j];
			if (d == 0) continue;
			gb[j] += d;
			const float *row = x + (long)b * in;
			for (int i = 0; i < in; i++) grad[i] += d * row[i];
		}
	}
	if (!dx) return;
	for (int b = 0; b < batch; b++) {
		float *to = dx + (long)b * in;
		for (int i = 0; i < in; i++) to[i] = 0;
		for (int j = 0; j < out; j++) {
			float d = dy[(long)b * out + j];
			if (d == 0) continue;
			const float *row = w + (long)j * in;
			for (int i = 0; i < in; i++) to[i] += d * row[i];
		}
	}
}
*/
import "C"

import (
	"unsafe"

	"kycd/vision/mrzread/glyphs"
)

func pointer(values []float32) *C.float { return (*C.float)(unsafe.Pointer(&values[0])) }

// forward is l of a batch of inputs, one after the other in x.
func forward(l *glyphs.Layer, x []float32, y []float32) {
	out := len(l.Bias)
	batch := len(y) / out
	C.forward(C.int(batch), C.int(len(x)/batch), C.int(out), pointer(x), pointer(l.Weights), pointer(l.Bias), pointer(y))
}

// backward adds to the gradients of l's weights and biases, and writes that of its inputs unless dx is nil.
func backward(l *glyphs.Layer, x, dy, weights, bias, dx []float32) {
	out := len(l.Bias)
	batch := len(dy) / out
	var to *C.float
	if dx != nil {
		to = pointer(dx)
	}
	C.backward(C.int(batch), C.int(len(x)/batch), C.int(out), pointer(x), pointer(l.Weights), pointer(dy), pointer(weights), pointer(bias), to)
}
