package worker

import (
	"context"
	"fmt"
	"log/slog"
)

// asynqLog gives asynq's messages to slog. They hold task ids, queue names and Redis errors.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }

// Fatal does not end the process: asynq never calls it, and a queue that fails is no reason to stop serving.
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }

// RedisLog gives what go-redis says of lost connections to slog, at debug level: whoever made the call
// reports the failure. A program sets it once, with redis.SetLogger.
type RedisLog struct{ Log *slog.Logger }

// Printf is go-redis' interface.
func (l RedisLog) Printf(ctx context.Context, format string, args ...any) {
	l.Log.DebugContext(ctx, "redis", "message", fmt.Sprintf(format, args...))
}
