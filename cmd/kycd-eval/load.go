package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connections is over how many connections a server is asked at the same time.
const connections = 16

// load sends the requests (each the bytes of a whole HTTP/1.1 request), over and over, on connections that stay open and
// have each a part of them, and gives how many were answered with 200 in a second. Any other answer is an error. It does
// little itself, because it shares the cores with the server.
func load(ctx context.Context, address string, requests [][]byte, lasting time.Duration) (perSecond float64, err error) {
	ctx, stop := context.WithTimeout(ctx, lasting)
	defer stop()
	var (
		answered atomic.Int64
		errs     [connections]error
		wg       sync.WaitGroup
		began    = time.Now()
	)
	for c := range connections {
		wg.Go(func() {
			part := requests[c*len(requests)/connections : (c+1)*len(requests)/connections]
			if errs[c] = converse(ctx, address, part, &answered); errs[c] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return float64(answered.Load()) / time.Since(began).Seconds(), errors.Join(errs[:]...)
}

// converse is one connection.
func converse(ctx context.Context, address string, requests [][]byte, answered *atomic.Int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for i := 0; len(requests) > 0 && ctx.Err() == nil; i++ {
		if _, err := conn.Write(requests[i%len(requests)]); err != nil {
			return err
		}
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the server answered %s", answer.Status)
		}
		answered.Add(1)
	}
	return nil
}

// listen serves a handler on a port of the loopback interface until stop is called.
func listen(handler http.Handler) (address string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr().String(), func() error {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}
