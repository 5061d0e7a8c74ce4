package sidecar

import "syscall"

// attributes give the child a process group of its own, and let the kernel end it with the server, even
// when the server is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
