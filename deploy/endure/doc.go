// Package endure holds one long test: the real program under a steady flow of
// readings at QoS 1, killed again and again, its broker restarted, its
// InfluxDB away, its disk full for a while. At the end each reading that was
// acknowledged to its publisher must be in the journal and in InfluxDB, once.
//
//	make endure ARGS="-for 10m -kills 50 -rate 5000"
package endure
