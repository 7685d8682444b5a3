import KafkaTesting
import Testing

@testable import KafkaClient

@Suite("Properties of a client")
struct ConfigurationTests {
    @Test("An unknown property is named in the error")
    func unknownProperty() throws {
        let error = failure { _ = try KafkaProducer(properties: ["bootstrap.servers": "x:1", "no.such.thing": "1"]) }
        #expect(error?.reason.contains("no.such.thing") == true)
        #expect(error?.disposition == .fatal)
        #expect(error?.code == "_INVALID_ARG")
    }

    @Test("A value that a property does not accept is named in the error with the property")
    func badValue() throws {
        let error = failure { _ = try KafkaAdmin(properties: ["bootstrap.servers": "x:1", "linger.ms": "soon"]) }
        #expect(error?.reason.contains("linger.ms") == true)
        #expect(error?.reason.contains("soon") == true)
    }

    @Test("A property can be checked without a client, and its secret is not shown")
    func fault() {
        #expect(KafkaProperties.fault(of: "linger.ms", "5") == nil)
        let unknown = KafkaProperties.fault(of: "linger.mss", "5")
        #expect(unknown?.hasPrefix("linger.mss is not known to librdkafka ") == true)
        #expect(KafkaProperties.fault(of: "linger.ms", "soon")?.hasPrefix("linger.ms does not accept “soon”: ") == true)
        #expect(KafkaProperties.fault(of: "sasl.password", "hunter2") == nil)
    }

    @Test("The value of a secret is not shown")
    func secret() throws {
        let properties: KafkaProperties = ["bootstrap.servers": "x:1", "sasl.password": "hunter2"]
        #expect(!properties.description.contains("hunter2"))
        #expect(properties.description.contains("x:1"))
    }

    @Test("A property that the consumer relies on cannot be changed")
    func requiredProperty() throws {
        let error = failure {
            _ = try KafkaConsumer(
                properties: ["bootstrap.servers": "x:1", "enable.auto.commit": "true"],
                group: "g",
                instance: nil,
                topics: ["t"]
            )
        }
        #expect(error?.reason == "property enable.auto.commit must be false, found true")
    }

    @Test("Members of a group check for new partitions every 20 s unless the caller sets another interval")
    func metadataRefresh() {
        let name = "topic.metadata.refresh.interval.ms"
        let standard = KafkaConsumer.configuration(["bootstrap.servers": "x:1"], group: "g", instance: "i")
        #expect(standard.defaults.merging(standard.properties)[name] == "20000" && standard.required[name] == nil)
        let given = KafkaConsumer.configuration([name: "60000"], group: "g", instance: nil)
        #expect(given.defaults.merging(given.properties)[name] == "60000")
    }

    @Test("Properties that contradict each other are refused with librdkafka's reason")
    func contradiction() throws {
        let error = failure {
            _ = try KafkaConsumer(
                properties: ["bootstrap.servers": "x:1", "session.timeout.ms": "400000"],
                group: "g",
                instance: nil,
                topics: ["t"]
            )
        }
        #expect(error?.reason.contains("max.poll.interval.ms") == true)
    }

    @Test("Properties keep their order, and a later value replaces an earlier one")
    func order() {
        var properties: KafkaProperties = ["b": "1", "a": "2", "b": "3"]
        #expect(properties.entries.map(\.name) == ["b", "a"])
        #expect(properties["b"] == "3")
        properties["b"] = nil
        #expect(properties.entries.map(\.name) == ["a"])
        #expect(properties.merging(["a": "9"])["a"] == "9")
    }
}
