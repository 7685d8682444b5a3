import EngineCore
import Events
import Foundation
import Intake
import KafkaClient
import Loop
import Materializer
import PipelineTesting
import Testing
import Trainer

@Suite("The rights of roles and parties")
struct AccessRightsTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func rights(_ party: Party, _ topics: TopicNames = TopicNames()) -> Set<String> {
        Set(AccessRights(party, topics: topics).rights.map(\.description))
    }

    @Test("The operators' guide contains the table that the command prints")
    func table() throws {
        let guide = try String(contentsOf: Self.root.appending(path: "docs/guides/operator.md"), encoding: .utf8)
        #expect(
            guide.contains("\n\n\(AccessRights.table)\n"),
            "docs/guides/operator.md: put in the table that `flywheel topics acls --table` prints"
        )
    }

    @Test("Every role may read the inputs of its stage, and every topic has a writer and a reader")
    func complete() {
        for topic in Topic.allCases { #expect(!topic.writers.isEmpty && !topic.readers.isEmpty, "\(topic)") }
        #expect(IntakeProcessor.inputs.allSatisfy { $0.readers.contains(.intake) })
        #expect(LoopProcessor.inputs.allSatisfy { $0.readers.contains(.loop) })
        #expect(MaterializerProcessor.inputs.allSatisfy { $0.readers.contains(.materializer) })
        #expect(TrainerProcessor.inputs.allSatisfy { $0.readers.contains(.trainer) })
        #expect(IntakeProcessor.inputs.allSatisfy { $0.writers.contains(.redrive) })
        #expect(AccessRights(.console, topics: TopicNames()).rights.isEmpty)
    }

    @Test("Trainers may read the results that they reported")
    func trainers() {
        #expect(
            Topic.trainingResults.writers.filter { $0 != .redrive }.allSatisfy(Topic.trainingResults.readers.contains)
        )
        #expect(rights(.outsideTrainer).contains("Read on Topic flywheel.training-results"))
    }

    @Test("No right is listed twice, and no outside party writes the topics that only workers write")
    func least() {
        for party in Party.allCases {
            let all = AccessRights(party, topics: TopicNames()).rights
            #expect(all.count == Set(all).count)
        }
        for party in [Party.productService, .labelTool, .outsideTrainer, .analyst] {
            for topic in [Topic.journal, .state, .projects, .commands, .modelReleases] {
                #expect(!topic.writers.contains(party))
            }
        }
    }

    @Test("Names in rights follow the prefix; without a prefix every topic is named")
    func prefixes() {
        let prefixed = rights(.operator, TopicNames(prefix: "ours."))
        #expect(prefixed.contains("Create on Topic ours.*"))
        #expect(prefixed.contains("Write on TransactionalId ours.apply.*"))
        let unprefixed = AccessRights(.operator, topics: TopicNames(prefix: "")).rights
        #expect(unprefixed.filter { $0.operation == .create }.count == Topic.allCases.count)
        #expect(unprefixed.allSatisfy { !$0.name.isEmpty })
        #expect(rights(.intake, TopicNames(prefix: "")).contains("Read on Group intake"))
    }

    @Test("Command lines grant all rights to one principal, and quote what a shell would split")
    func commands() {
        let access = AccessRights(.labelTool, topics: TopicNames(), group: "tool's group")
        let lines = access.commands(principal: "User:CN=a b", bootstrap: "k:9092", configuration: "admin.properties")
        #expect(lines.count == 3)
        #expect(
            lines[0]
                == "kafka-acls.sh --bootstrap-server k:9092 --command-config admin.properties --add --allow-principal "
                + "'User:CN=a b' --operation Read --topic flywheel.labeling-tasks"
        )
        #expect(lines[2].hasSuffix("--operation Describe --group 'tool'\\''s group'"))
        let intake = AccessRights(.intake, topics: TopicNames())
            .commands(principal: "User:i", bootstrap: "k:9092", configuration: "a")
        #expect(intake[0].contains("--topic flywheel.predictions --topic flywheel.feedback"))
        #expect(intake.last?.contains("--resource-pattern-type prefixed --transactional-id flywheel.intake") == true)
    }
}
