package cdc

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// decode returns the canonical texts that a value of a column may mean: one,
// unless the schema is missing and the settings of the connector decide. The
// forms are those of Debezium's manual, "Data type mappings" of each connector,
// in every mode it offers for the type.
func decode(c schema.ViewColumn, f *field, raw json.RawMessage) ([]row.Value, error) {
	if bytes.Equal(raw, null) {
		return nil, errors.New("is NULL, which no key holds")
	}
	texts, err := own(c, f, raw)
	if err != nil {
		return nil, err
	}
	var out []row.Value
	for _, text := range texts {
		v, err := compared(c, text)
		if err != nil && len(texts) == 1 {
			return nil, err
		}
		if err == nil && !slices.ContainsFunc(out, func(o row.Value) bool { return bytes.Equal(o, v) }) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s is no value of the column", cut(raw))
	}
	return out, nil
}

// own are the texts of the column's own type.
func own(c schema.ViewColumn, f *field, raw json.RawMessage) ([]string, error) {
	switch c.Type.Kind {
	case canonical.Bool, canonical.Int:
		return whole(c, f, raw)
	case canonical.Decimal:
		return decimal(c, f, raw)
	case canonical.Float32, canonical.Float64:
		return one(scalar(raw))
	case canonical.Bytes:
		return byteString(c, f, raw)
	case canonical.Bits:
		return bits(c, raw)
	case canonical.Date, canonical.Time, canonical.Timestamp, canonical.Instant:
		return moments(c, f, raw)
	case canonical.Text:
		text, err := str(raw)
		if c.Base == "char" { // PostgreSQL's blanks that pad are no part of the value
			text = strings.TrimRight(text, " ")
		}
		return one(text, err)
	case canonical.UUID:
		return uuids(raw)
	case canonical.Inet, canonical.Interval:
		return one(str(raw))
	default:
		return nil, fmt.Errorf("a key of type %s cannot be read from an event", c.Type)
	}
}

// compared is the text in the type that the pair compares in.
func compared(c schema.ViewColumn, text string) (row.Value, error) {
	if c.Translation != nil {
		v, err := plain(c.Type, c.Type, text)
		if err != nil {
			return nil, err
		}
		return row.Value(c.Translation.Compared(v)).Clone(), nil
	}
	return plain(c.Type, c.As, text)
}

func plain(from, as canonical.Type, text string) (row.Value, error) {
	b := []byte(text)
	if from.Kind == canonical.Bytes {
		if as.Kind != canonical.UUID {
			return row.Value(b), nil // hexadecimal digits already
		}
		raw, err := canonical.DecodeHex(row.Value(b))
		if err != nil {
			return nil, err
		}
		return canonical.AppendUUID(nil, raw)
	}
	switch as.Kind {
	case canonical.Bool, canonical.Int:
		return canonical.AppendIntText(nil, b)
	case canonical.Decimal:
		return canonical.AppendDecimal(nil, b)
	case canonical.Float32:
		return canonical.AppendFloatText(nil, b, 32)
	case canonical.Float64:
		return canonical.AppendFloatText(nil, b, 64)
	case canonical.UUID:
		return canonical.AppendUUIDText(nil, b)
	case canonical.Date:
		return canonical.AppendDate(nil, b)
	case canonical.Time:
		return canonical.AppendTime(nil, b)
	case canonical.Timestamp, canonical.Instant:
		return canonical.AppendTimestamp(nil, b)
	case canonical.Bits:
		return canonical.AppendBitsText(nil, b)
	case canonical.Inet:
		return canonical.AppendInet(nil, b), nil
	case canonical.Interval:
		return canonical.AppendInterval(nil, b)
	default:
		return append(row.Value{}, b...), nil
	}
}

// Names of schemas (Kafka Connect's and Debezium's sources).
const (
	connectDecimal  = "org.apache.kafka.connect.data.Decimal"
	variableDecimal = "io.debezium.data.VariableScaleDecimal"
)

// twoTo64 brings an unsigned bigint back that was sent as a signed one.
var twoTo64 = new(big.Int).Lsh(big.NewInt(1), 64)

// whole reads an integer. By default the connectors send an unsigned bigint as
// a long, which is negative from 2^63 on; else as a decimal.
func whole(c schema.ViewColumn, f *field, raw json.RawMessage) ([]string, error) {
	switch string(raw) {
	case "true":
		return []string{"1"}, nil
	case "false":
		return []string{"0"}, nil
	}
	if raw[0] == '"' {
		return decimal(c, f, raw)
	}
	text, err := scalar(raw)
	if err != nil {
		return nil, err
	}
	if n, ok := new(big.Int).SetString(text, 10); ok && n.Sign() < 0 && c.Unsigned {
		text = n.Add(n, twoTo64).String()
	}
	return []string{text}, nil
}

// decimal reads an exact number: as the bytes of its unscaled value, the scale
// being in the schema or beside it, as a text or as a number.
func decimal(c schema.ViewColumn, f *field, raw json.RawMessage) ([]string, error) {
	switch raw[0] {
	case '{':
		var variable struct {
			Scale int32
			Value string
		}
		if err := json.Unmarshal(raw, &variable); err != nil {
			return nil, err
		}
		return one(unscaled(variable.Value, variable.Scale))
	case '"':
	default:
		return one(scalar(raw))
	}
	text, err := str(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case f != nil && f.Name == connectDecimal:
		scale, err := strconv.ParseInt(f.Parameters["scale"], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the decimal's schema has the scale %q", f.Parameters["scale"])
		}
		return one(unscaled(text, int32(scale)))
	case f != nil && f.Type == "string":
		return []string{text}, nil
	}
	// Without the schema: digits may be a number or the base64 of another.
	var out []string
	if _, err := canonical.AppendDecimal(nil, []byte(text)); err == nil {
		out = append(out, text)
	}
	scale := max(c.Precision, 0)
	if c.Type.Kind == canonical.Int || c.Type.Kind == canonical.Bool {
		scale = 0
	}
	if number, err := unscaled(text, int32(scale)); err == nil {
		out = append(out, number)
	}
	return out, nil
}

// unscaled is the decimal of a two's complement number of big-endian bytes in
// base64, scaled down.
func unscaled(text string, scale int32) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return "", fmt.Errorf("%q is no decimal in base64", text)
	}
	n := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(raw)*8)))
	}
	if scale == 0 { // an integer, maybe of an integer column
		return n.String(), nil
	}
	return n.String() + "e" + strconv.Itoa(int(-scale)), nil
}

// byteString reads bytes: by default in base64, by the connector's
// binary.handling.mode in another form, which its schema does not name.
func byteString(c schema.ViewColumn, f *field, raw json.RawMessage) ([]string, error) {
	text, err := str(raw)
	if err != nil {
		return nil, err
	}
	decoders := []func(string) ([]byte, error){base64.StdEncoding.DecodeString}
	if f == nil || f.Type != "bytes" {
		decoders = append(decoders, base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString)
	}
	var out []string
	for _, d := range decoders {
		b, err := d(text)
		if err != nil {
			continue
		}
		if c.Base == "binary" && int64(len(b)) < c.Length { // the log leaves out the zeros that pad
			b = append(b, make([]byte, c.Length-int64(len(b)))...)
		}
		out = append(out, hex.EncodeToString(b))
	}
	return out, nil
}

// uuids reads a UUID. MariaDB's log leaves zero bytes at the end out, and the
// connector (3.2) puts as many in front.
func uuids(raw json.RawMessage) ([]string, error) {
	text, err := str(raw)
	if err != nil {
		return nil, err
	}
	out := []string{text}
	b, err := canonical.DecodeUUID([]byte(text))
	for n := 1; err == nil && n < len(b) && b[n-1] == 0; n++ {
		moved, _ := canonical.AppendUUID(nil, append(b[n:len(b):len(b)], make([]byte, n)...))
		out = append(out, string(moved))
	}
	return out, nil
}

// bits reads a bit string: a truth value for one bit, else its bytes, the least
// significant first. MariaDB's connector (3.2) has them the other way round
// when it reads a table rather than the log, and does not say so.
func bits(c schema.ViewColumn, raw json.RawMessage) ([]string, error) {
	switch string(raw) {
	case "true":
		return []string{"1"}, nil
	case "false":
		return []string{"0"}, nil
	}
	text, err := str(raw)
	if err != nil {
		return nil, err
	}
	little, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(little) > 8 {
		return nil, fmt.Errorf("%s are no bits", cut(raw))
	}
	if c.Type.Width == 0 {
		return nil, errors.New("the length of a bit string of varying length is not in the event")
	}
	big := append(make([]byte, 8-len(little)), little...)
	little = append(little, make([]byte, 8-len(little))...)
	var out []string
	for _, n := range []uint64{binary.LittleEndian.Uint64(little), binary.BigEndian.Uint64(big)} {
		if text := fmt.Sprintf("%0*b", c.Type.Width, n); len(text) == c.Type.Width {
			out = append(out, text)
		}
	}
	return out, nil
}

func one(text string, err error) ([]string, error) { return []string{text}, err }

// scalar is a number as it was written, or a text's characters.
func scalar(raw json.RawMessage) (string, error) {
	if raw[0] == '"' {
		return str(raw)
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return "", fmt.Errorf("%s is no number", cut(raw))
	}
	return n.String(), nil
}

func str(raw json.RawMessage) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", fmt.Errorf("%s is no text", cut(raw))
	}
	return text, nil
}

// cut is a value for a message. A key is no secret, but may be long.
func cut(raw json.RawMessage) string {
	const most = 80
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}
