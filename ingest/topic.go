package ingest

import (
	"fmt"
	"strings"

	"haidang/devices"
)

// route says what a topic means to us.
type route uint8

const (
	routeReadings route = iota
	routeEvents
	routeState
	routeReport
	routeAnswer  // to a command or a configuration
	routeForeign // a format of its own names the devices
	routeOurs    // something the server itself publishes
)

// parseTopic reads a topic below ioc/v1/. The id is set for device topics.
func parseTopic(topic string) (r route, id devices.ID, refusal *Refusal) {
	if topic == ReportsTopic {
		return routeReport, "", nil
	}
	rest, ok := strings.CutPrefix(topic, DeviceRoot)
	if !ok {
		return 0, "", &Refusal{StageTopic, "topic_unknown", fmt.Sprintf("nothing is taken on topic %.200q; devices publish on ioc/v1/devices/{id}/readings or …/events", topic)}
	}
	level, leaf, _ := strings.Cut(rest, "/")
	switch {
	case level == "":
		return 0, "", &Refusal{StageTopic, "topic_empty_level", fmt.Sprintf("topic %.200q has an empty level where the device id belongs", topic)}
	case strings.HasSuffix(topic, "/") || strings.Contains(rest, "//"):
		return 0, "", &Refusal{StageTopic, "topic_empty_level", fmt.Sprintf("topic %.200q has an empty level", topic)}
	}
	id, err := devices.ParseID(level)
	if err != nil {
		return 0, "", &Refusal{StageTopic, "device_id_invalid", fmt.Sprintf("topic %.200q: %.80q is not a device id: 1 to 64 letters, digits, '_' or '-', starting with a letter or digit", topic, level)}
	}
	switch leaf {
	case "readings":
		return routeReadings, id, nil
	case "events":
		return routeEvents, id, nil
	case "state":
		return routeState, id, nil
	case "config/reported":
		return routeAnswer, id, nil
	case "errors", "config":
		return routeOurs, id, nil
	}
	switch kind, name, _ := strings.Cut(leaf, "/"); {
	case kind == "commands":
		return routeOurs, id, nil
	case kind == "replies" && name != "" && !strings.Contains(name, "/"):
		return routeAnswer, id, nil
	}
	return 0, id, &Refusal{StageTopic, "topic_unknown", fmt.Sprintf("nothing is taken on topic %.200q; device %s may publish on readings, events, state, config/reported and replies/{command}", topic, id)}
}
