import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test("The exposition is Prometheus' text format, sorted and escaped")
    func exposition() {
        let registry = MetricsRegistry()
        registry.counter("z_total", help: "last\nline \\").increment(by: 3)
        registry.counter("a_total", help: "records", labels: ["topic": "b"]).increment()
        registry.counter("a_total", help: "records", labels: ["topic": "a\"\\\n"]).increment(by: 2)
        registry.gauge("g", help: "now").set(0.5)
        let histogram = registry.histogram("h_seconds", help: "took", labels: ["role": "loop"], bounds: [0.1, 1])
        for number in [0.05, 0.1, 0.5, 7, .nan] { histogram.observe(number) }
        let expected = """
            # HELP a_total records
            # TYPE a_total counter
            a_total{topic="a\\"\\\\\\n"} 2
            a_total{topic="b"} 1
            # HELP g now
            # TYPE g gauge
            g 0.5
            # HELP h_seconds took
            # TYPE h_seconds histogram
            h_seconds_bucket{role="loop",le="0.1"} 2
            h_seconds_bucket{role="loop",le="1"} 3
            h_seconds_bucket{role="loop",le="+Inf"} 4
            h_seconds_sum{role="loop"} 7.65
            h_seconds_count{role="loop"} 4
            # HELP z_total last\\nline \\\\
            # TYPE z_total counter
            z_total 3

            """
        #expect(registry.exposition() == expected)
    }

    @Test("A second request for a metric returns the same one")
    func identity() {
        let registry = MetricsRegistry()
        let first = registry.counter("c_total", help: "", labels: ["a": "1", "b": "2"])
        #expect(first === registry.counter("c_total", help: "", labels: ["b": "2", "a": "1"]))
        #expect(first !== registry.counter("c_total", help: "", labels: ["a": "2", "b": "2"]))
    }

    @Test("Counts of many threads are not lost")
    func threads() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        registry.counter("c_total", help: "").increment()
                        registry.gauge("g", help: "").add(1)
                        registry.histogram("h", help: "").observe(0.01)
                    }
                }
            }
        }
        #expect(registry.counter("c_total", help: "").value == 8_000)
        #expect(registry.gauge("g", help: "").value == 8_000)
        #expect(registry.histogram("h", help: "").snapshot.count == 8_000)
    }

    @Test("A name that Prometheus would refuse stops the process", arguments: ["", "1a", "a-b", "a b", "é"])
    func names(name: String) async {
        await #expect(processExitsWith: .failure) { [name] in _ = MetricsRegistry().counter(name, help: "") }
    }

    @Test("One name for two kinds of metric stops the process")
    func kinds() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricsRegistry()
            _ = registry.counter("a", help: "")
            _ = registry.gauge("a", help: "")
        }
    }
}
