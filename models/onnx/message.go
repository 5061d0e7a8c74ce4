package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields and values of onnx.proto that are written here.
const (
	modelIRVersion, modelGraph, modelOpset = 1, 7, 8

	opsetVersion = 2

	graphNode, graphName, graphInitializer, graphInput, graphOutput = 1, 2, 5, 11, 12

	nodeInput, nodeOutput, nodeName, nodeType, nodeAttribute = 1, 2, 3, 4, 5

	attributeName, attributeFloat, attributeInt, attributeInts, attributeType = 1, 2, 3, 8, 20

	tensorDims, tensorType, tensorName, tensorRaw = 1, 2, 8, 9

	valueName, valueType   = 1, 2
	typeTensor             = 1
	typeElement, typeShape = 1, 2
	shapeDim, dimValue     = 1, 1

	kindFloat, kindInt, kindInts = 1, 2, 7 // AttributeProto.AttributeType
	elementFloat                 = 1       // TensorProto.DataType
)

// The versions of the format and of its operators: the oldest that say all that is needed, for old readers.
const irVersion, operatorSet = 4, 9

// message is an encoded protobuf message that grows by its fields.
type message []byte

func (m message) number(field protowire.Number, v int) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

func (m message) float(field protowire.Number, v float32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), math.Float32bits(v))
}

func (m message) text(field protowire.Number, s string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

// floats is a TensorProto; values lie in it as raw little-endian bytes.
func floats(name string, shape []int, values []float32) message {
	m := make(message, 0, 4*len(values)+len(name)+64)
	for _, d := range shape {
		m = m.number(tensorDims, d)
	}
	m = m.number(tensorType, elementFloat).text(tensorName, name)
	m = protowire.AppendTag(m, tensorRaw, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(4*len(values)))
	for _, v := range values {
		m = binary.LittleEndian.AppendUint32(m, math.Float32bits(v))
	}
	return m
}

// value is a ValueInfoProto of float32.
func value(name string, shape []int) message {
	var dims message
	for _, d := range shape {
		dims = dims.bytes(shapeDim, message(nil).number(dimValue, d))
	}
	tensor := message(nil).number(typeElement, elementFloat).bytes(typeShape, dims)
	return message(nil).text(valueName, name).bytes(valueType, message(nil).bytes(typeTensor, tensor))
}

// attribute is an AttributeProto.
type attribute message

func integer(name string, v int) attribute {
	return attribute(message(nil).text(attributeName, name).number(attributeInt, v).number(attributeType, kindInt))
}

func real(name string, v float32) attribute {
	return attribute(message(nil).text(attributeName, name).float(attributeFloat, v).number(attributeType, kindFloat))
}

func integers(name string, v ...int) attribute {
	m := message(nil).text(attributeName, name)
	for _, i := range v {
		m = m.number(attributeInts, i)
	}
	return attribute(m.number(attributeType, kindInts))
}
