package ingest

import "github.com/prometheus/client_golang/prometheus"

// metrics count every message's end: stored, duplicate, dead letter, refused
// (not acknowledged), and ignored for what the server itself published.
type metrics struct {
	stored, duplicates, refused, ignored, commitErrors, limited prometheus.Counter
	outcomes, reasons                                           *prometheus.CounterVec
	commitSeconds, batchSize                                    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_ingest_messages_total",
			Help: "Readings, events and reports by how they ended."}, []string{"outcome"}),
		reasons: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_ingest_dead_letters_total",
			Help: "Dead letters by stage and code."}, []string{"stage", "code"}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{Name: "haidang_ingest_limited_total",
			Help: "Messages beyond their device's limit, in foreign formats readings and events: kept, but after those of others."}),
		commitErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "haidang_journal_commit_errors_total",
			Help: "Commits that did not succeed and were tried again."}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "haidang_journal_commit_seconds",
			Help: "Time to keep one batch, synced.", Buckets: prometheus.ExponentialBuckets(0.0002, 2, 14)}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "haidang_journal_batch_entries",
			Help: "Entries in one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 8)}),
	}
	if reg != nil {
		reg.MustRegister(m.outcomes, m.reasons, m.commitErrors, m.limited, m.commitSeconds, m.batchSize)
	}
	m.stored = m.outcomes.WithLabelValues("stored")
	m.duplicates = m.outcomes.WithLabelValues("duplicate")
	m.refused = m.outcomes.WithLabelValues("refused")
	m.ignored = m.outcomes.WithLabelValues("ignored")
	m.outcomes.WithLabelValues("dead_letter")
	return m
}

func (m *metrics) deadLetter(d DeadLetter) {
	m.outcomes.WithLabelValues("dead_letter").Inc()
	m.reasons.WithLabelValues(string(d.Stage), d.Code).Inc()
}
