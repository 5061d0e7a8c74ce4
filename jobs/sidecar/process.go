package sidecar

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// process is one child and all that it started: they form a process group of their own, so that a Ctrl-C on
// the terminal reaches the server alone, which then ends the child in order.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // set when ended is closed
}

// drain is how long a grandchild may keep the child's output open after its end.
const drain = time.Second

// start starts the child. It must be called on a thread that lives as long as the child may.
func start(c Config, worker string) (*process, error) {
	out := &lines{log: c.Log, worker: worker}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append(append([]string{}, c.Env...), EnvWorker+"="+worker, EnvParent+"="+strconv.Itoa(os.Getpid()))
	cmd.Stdout, cmd.Stderr = out, out // the same writer: never two at once
	cmd.WaitDelay = drain
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
		p.kill() // whatever it left behind in its group
		out.flush()
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// terminate asks the child to end, kills its group after the grace, and returns when it has ended.
func (p *process) terminate(grace time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.kill()
		<-p.ended
	}
}

// kill ends the whole group at once.
func (p *process) kill() { _ = syscall.Kill(-p.pid(), syscall.SIGKILL) }
