package fuzz_test

import (
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/kyctest/house"
)

func TestSpeed(t *testing.T) {
	h := house.Open(t, house.Options{})
	_, p := h.Client("x")
	n := time.Now()
	for range 50 {
		h.Given(p, kyc.SessionInput{})
	}
	t.Log("given", time.Since(n)/50)
	n = time.Now()
	for range 50 {
		h.Verified(p, kyc.SessionInput{})
	}
	t.Log("verified", time.Since(n)/50)
	n = time.Now()
	for range 50 {
		h.CreateSession(t.Context(), p, kyc.SessionInput{})
	}
	t.Log("create", time.Since(n)/50)
}
