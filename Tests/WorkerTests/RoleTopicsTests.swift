import EngineCore
import Events
import PipelineTesting
import StreamTesting
import Testing
import Worker

@Suite("A role checks its topics before it starts")
struct RoleTopicsTests {
    private let topics = TopicNames(prefix: "t.")

    private func cluster(without missing: Topic? = nil, partitions: [Topic: Int] = [:]) -> InMemoryCluster {
        let cluster = InMemoryCluster(clock: SimulatedClock())
        for topic in Topic.allCases where topic != missing {
            let usual = topic.partitioning == .single ? 1 : 2
            cluster.createTopic(topics[topic], partitions: partitions[topic] ?? usual)
        }
        return cluster
    }

    private func complaint(_ role: Role, _ cluster: InMemoryCluster) -> String {
        do {
            try RoleTopics.check(role, transport: cluster, topics: topics)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("There is no complaint if all topics exist", arguments: Role.allCases)
    func complete(role: Role) { #expect(complaint(role, cluster()).isEmpty) }

    @Test("A missing topic that the role needs is named", arguments: Worker.streamRoles)
    func missing(role: Role) {
        for topic in Topic.allCases {
            let complaint = complaint(role, cluster(without: topic))
            let isNeeded = RoleTopics.all(of: role).contains(topic)
            #expect(complaint.contains("t.\(topic.rawValue) is missing") == isNeeded, "\(topic)")
        }
    }

    @Test("Topics with unequal partition counts are named with their counts, and so is `projects` with more than one")
    func counts() {
        let unequal = complaint(.loop, cluster(partitions: [.state: 3]))
        #expect(unequal.contains("t.state: 3") && unequal.contains("must be equal"))
        #expect(complaint(.intake, cluster(partitions: [.projects: 2])).contains("t.projects has 2 partitions"))
        #expect(complaint(.intake, cluster(partitions: [.predictions: 7])).isEmpty)
    }
}
