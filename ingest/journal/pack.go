package journal

import (
	"encoding/binary"
	"errors"
	"math"

	"haidang/ingest"
)

// A packed value is: metric key (uvarint), one byte of quality (high nibble)
// and scale (low nibble), then the number. Most sensors say decimals with few
// digits: those are kept as a zigzag varint of number × 10^scale, exactly.
// Anything else is kept as its eight bytes under scale rawScale.
const (
	rawScale = 15
	maxScale = 6
)

var pow10 = [maxScale + 1]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}

func packValue(b []byte, key uint64, v ingest.Value) []byte {
	b = binary.AppendUvarint(b, key)
	q := byte(v.Quality) << 4
	if m, scale, ok := scaled(v.Number); ok {
		return binary.AppendVarint(append(b, q|byte(scale)), m)
	}
	return binary.LittleEndian.AppendUint64(append(b, q|rawScale), math.Float64bits(v.Number))
}

// scaled finds the smallest scale at which x is a whole number that gives back
// exactly x. Negative zero has no such form.
func scaled(x float64) (m int64, scale int, ok bool) {
	if x == 0 && math.Signbit(x) {
		return 0, 0, false
	}
	for scale, p := range pow10 {
		r := math.Round(x * p)
		if math.Abs(r) >= 1<<53 {
			return 0, 0, false
		}
		if r/p == x {
			return int64(r), scale, true
		}
	}
	return 0, 0, false
}

var errPacked = errors.New("packed values are damaged")

// unpack reads back what packValue wrote; name gives the metric of a key.
func unpack(b []byte, name func(uint64) string) ([]ingest.Value, error) {
	var vals []ingest.Value
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || len(b) < n+2 {
			return nil, errPacked
		}
		tag := b[n]
		b = b[n+1:]
		v := ingest.Value{Metric: name(key), Quality: ingest.Quality(tag >> 4)}
		switch scale := tag & 15; {
		case scale == rawScale:
			if len(b) < 8 {
				return nil, errPacked
			}
			v.Number = math.Float64frombits(binary.LittleEndian.Uint64(b))
			b = b[8:]
		case scale <= maxScale:
			m, n := binary.Varint(b)
			if n <= 0 {
				return nil, errPacked
			}
			v.Number = float64(m) / pow10[scale]
			b = b[n:]
		default:
			return nil, errPacked
		}
		vals = append(vals, v)
	}
	return vals, nil
}
