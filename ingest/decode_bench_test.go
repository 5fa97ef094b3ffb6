package ingest

import "testing"

// BenchmarkDecode is the price of one native reading of 203 bytes.
func BenchmarkDecode(b *testing.B) {
	payload := []byte(`{"ts":1795590000123,"seq":4711,"lat":17.46801,"lon":106.62212,"values":{"pm25":38.42,"pm10":48.42,"o3":58.42,"no2":40.42,"temp":22.84,"humidity":88.42,"battery_v":12.95,"rssi":-61.58}}`)
	b.ReportAllocs()
	for b.Loop() {
		if es := decodeNative(payload, decodeReading); es[0].refusal != nil {
			b.Fatal(es[0].refusal)
		}
	}
}
