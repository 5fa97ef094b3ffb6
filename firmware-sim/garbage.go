package firmwaresim

import "math/rand/v2"

// rubbish is what broken firmware has been seen to send.
var rubbish = []string{
	``,
	`{`,
	`null`,
	`"pm25=38.4"`,
	`{"ts":"2026-13-45T99:00:00Z","values":{"pm25":1}}`,
	`{"ts":0,"values":{"pm25":12.5}}`,
	`{"ts":"2099-01-01T00:00:00Z","values":{"pm25":12.5}}`,
	`{"values":{"pm25":NaN}}`,
	`{"values":{"pm25":"38,4"}}`,
	`{"values":[1,2,3]}`,
	`{"lat":106.6,"lon":17.5,"values":{"speed_kn":3}}`,
	"{\"values\":{\"a\u0001b\":1}}",
	"\x00\xff\xfe\x80\x81",
}

// garbage makes bytes that no decoder should take: known rubbish, or the
// reading cut short on its way.
func garbage(r *rand.Rand, payload []byte) []byte {
	n := r.IntN(len(rubbish) + 3)
	if n < len(rubbish) {
		return []byte(rubbish[n])
	}
	return payload[:1+r.IntN(len(payload)-1)]
}
