//go:build unix && !linux

package sidecar

import "syscall"

// attributes give the child a process group of its own. That the server was killed, the child finds out by
// itself: see EnvParent.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
