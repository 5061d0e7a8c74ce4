package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockFolder lets one process at a time change dir. It waits for the other until ctx ends and says once
// whom it waits for. The system frees the lock when the process ends, however it ends.
func lockFolder(ctx context.Context, dir string, say func(string, ...any)) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	told := false
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, err
		}
		if !told {
			told = true
			say("%s is busy: waiting for %s", dir, lockHolder(dir))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	// Who holds it is only for the message above; the lock does not depend on it.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(fmt.Sprintf("process %d\n", os.Getpid())), 0)
	}
	return func() { f.Close() }, nil
}

func lockHolder(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, lockName))
	if holder := strings.TrimSpace(string(b)); err == nil && holder != "" {
		return holder
	}
	return "another process"
}
