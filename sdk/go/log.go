package weir

import (
	"context"
	"log/slog"
	"slices"
)

// LogLevel says how much a line matters.
type LogLevel uint8

// The levels, in the order of the contract.
const (
	LogDebug LogLevel = iota
	LogInfo
	LogWarn
	LogError
)

// logHandler writes to the execution what goes to log/slog. It is slog's default in the sandbox, so that a plugin says
// slog.Info("created", "id", id), and package log goes there too. Never log personal data, whole payloads, or anything secret.
type logHandler struct {
	write  func(level LogLevel, message string, fields []Pair)
	group  string
	fields []Pair
}

// Enabled: Weir decides what is kept.
func (logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle writes a line. Its time is Weir's to say.
func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	fields := slices.Clone(h.fields)
	record.Attrs(func(attribute slog.Attr) bool {
		fields = appendField(fields, h.group, attribute)
		return true
	})
	h.write(levelOf(record.Level), record.Message, fields)
	return nil
}

// WithAttrs gives the same with more fields.
func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	h.fields = slices.Clone(h.fields)
	for _, attribute := range attributes {
		h.fields = appendField(h.fields, h.group, attribute)
	}
	return h
}

// WithGroup gives the same with a prefix for the names of later fields.
func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.group += name + "."
	}
	return h
}

func appendField(fields []Pair, group string, attribute slog.Attr) []Pair {
	value := attribute.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		return append(fields, Pair{Name: group + attribute.Key, Value: value.String()})
	}
	if attribute.Key != "" {
		group += attribute.Key + "."
	}
	for _, inner := range value.Group() {
		fields = appendField(fields, group, inner)
	}
	return fields
}

func levelOf(level slog.Level) LogLevel {
	switch {
	case level < slog.LevelInfo:
		return LogDebug
	case level < slog.LevelWarn:
		return LogInfo
	case level < slog.LevelError:
		return LogWarn
	default:
		return LogError
	}
}
