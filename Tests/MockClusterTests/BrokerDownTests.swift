import Foundation
import KafkaTesting
import StreamRuntime
import Testing

@testable import KafkaClient

@Suite("All brokers down", .serialized)
struct BrokerDownTests {
    /// Seconds of processor time that this thread has used.
    private func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test("A task reports the outage, does not spin, and continues when a broker is back; nothing is lost")
    func outage() throws {
        let copier = try Copier()
        try copier.begin()
        let first = try copier.write()
        #expect(try copier.run { first.isSubset(of: copier.processor.copied) })
        let second = try copier.write()
        _ = copier.takeEvents()
        try copier.cluster.takeDown(broker: 1)
        let (began, timeBefore) = (Date(), threadTime())
        var events: [StreamTaskEvent] = []
        var cycles = 0
        while Date().timeIntervalSince(began) < 5 {
            try copier.task?.cycle()
            cycles += 1
            events += copier.takeEvents()
        }
        #expect(copier.task?.connectivityError?.code == "_ALL_BROKERS_DOWN")
        #expect(events.contains { if case .unreachable = $0 { true } else { false } })
        #expect(threadTime() - timeBefore < 1)
        #expect(cycles < 1_000 && events.count < 100, "\(cycles) cycles, \(events.count) events")
        try copier.cluster.bringUp(broker: 1)
        #expect(
            try copier.run { second.isSubset(of: copier.processor.copied) && copier.task?.connectivityError == nil }
        )
        #expect(copier.takeEvents().contains { if case .reachable = $0 { true } else { false } })
        #expect(copier.processor.copied.isSubset(of: Set(try copier.output())))
    }
}

@Suite("Limitations of the librdkafka version are reported")
struct CaveatTests {
    private func caveats(_ library: Int32, _ mechanism: String?) -> [KafkaCaveat] {
        var properties: KafkaProperties = ["bootstrap.servers": "b:1"]
        if let mechanism { properties["sasl.mechanisms"] = mechanism }
        return KafkaCaveat.all(properties, library: library, version: "x")
    }

    @Test("SCRAM gives a warning below librdkafka 2.6.1, and 2.1.0 is refused")
    func caveats() {
        #expect(caveats(0x0200_02ff, nil).isEmpty)
        #expect(caveats(0x0200_02ff, "PLAIN").isEmpty)
        for library: Int32 in [0x0200_02ff, 0x0206_00ff] {
            let found = caveats(library, "SCRAM-SHA-512")
            #expect(found.map(\.isFatal) == [false])
            #expect(found.first?.description.contains("2.6.1") == true)
        }
        #expect(caveats(0x0206_01ff, "scram-sha-256").isEmpty)
        #expect(caveats(0x0201_00ff, nil).map(\.isFatal) == [true])
        #expect(caveats(0x0201_01ff, nil).isEmpty)
    }
}
