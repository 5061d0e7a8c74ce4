//go:build !amd64

package gallery

// fastest is the scanner for this machine.
func fastest() scanner { return scanPortable }
