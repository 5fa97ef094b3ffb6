package ingest

import "github.com/prometheus/client_golang/prometheus"

// metrics count every message's end: stored, duplicate, dead letter, refused
// (not acknowledged), and ignored for what the server itself published.
type metrics struct {
	stored, duplicates, refused, ignored, commitErrors, limited prometheus.Counter
	outcomes, reasons, unlisted                                 *prometheus.CounterVec
	commitSeconds, batchSize                                    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_ingest_messages_total",
			Help: "Readings, events and reports by how they ended."}, []string{"outcome"}),
		reasons: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_ingest_dead_letters_total",
			Help: "Dead letters by stage and code."}, []string{"stage", "code"}),
		unlisted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "haidang_ingest_unlisted_values_total",
			Help: "Values of metrics that their device's type does not list, though it is not open."}, []string{"type"}),
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
		reg.MustRegister(m.outcomes, m.reasons, m.unlisted, m.commitErrors, m.limited, m.commitSeconds, m.batchSize)
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

// countUnlisted counts the values of a reading that its type does not know.
func (m *metrics) countUnlisted(e *element) {
	if e.typ == nil || e.typ.Open {
		return
	}
	n := 0
	for i := range e.reading.Values {
		if e.typ.Metric(e.reading.Values[i].Metric) == nil {
			n++
		}
	}
	if n > 0 {
		m.unlisted.WithLabelValues(string(e.typ.ID)).Add(float64(n))
	}
}
