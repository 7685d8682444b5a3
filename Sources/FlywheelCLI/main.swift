import Demo
import Engine
import Events
import Flywheel
import Acquisition
import Labeling
import Datasets
import Training
import Rollout
import KafkaClient
import KafkaTransport
import Telemetry
import Vocabulary

let arguments = CommandLine.arguments
let bootstrap = arguments[2]
let kafka = KafkaProperties(bootstrap: bootstrap)
let topics = TopicNames()
let stop = StopFlag()
switch arguments[1] {
case "setup":
    let admin = try TopicAdministration(properties: kafka, topics: topics)
    print(try admin.create(.init()))
    let apply = ProjectApply(transport: KafkaStreamTransport(properties: kafka), topics: topics)
    for (name, function) in [("digits", AcquisitionFunction.margin), ("digits-random", .random)] {
        let configuration = ProjectConfiguration(
            project: ProjectID(name), revision: 1, partition: 0,
            schema: LabelSchema(question: "Which digit is this?", classes: DigitsWorld.classes),
            acquisition: .init(function: function, isDiverse: function != .random, batchSize: 8, openTaskLimit: 20, auditShare: 0.2, auditCutoff: 0.08, votes: 600, window: 240_000, oversample: 20, patience: 4_000),
            labeling: .init(minimumVotes: 2, maximumVotes: 3, confidence: 0.95, lifetime: 60_000),
            datasets: .init(cutEvery: 8, cutAfter: 20_000),
            training: .init(newLabels: 8, repeats: 3, deadline: 30_000),
            rollout: .init())
        print(try apply.apply(configuration, partitions: try admin.projectPartitions()))
    }
case "run":
    let c = WorkerConfiguration(kafka: kafka, roles: [.intake, .loop, .materializer], storePath: "/tmp/fw/store", artifactsPath: "/tmp/fw/artifacts")
    Worker(configuration: c, logger: Logger(module: "worker", level: .info, sink: StandardErrorSink()), registry: MetricsRegistry(), stop: stop).run()
case "trainer":
    let c = WorkerConfiguration(kafka: kafka, instance: "t1", roles: [.trainer], storePath: "/tmp/fw/store", artifactsPath: "/tmp/fw/artifacts")
    Worker(configuration: c, logger: Logger(module: "trainer", level: .info, sink: StandardErrorSink()), registry: MetricsRegistry(), stop: stop).run()
case "product":
    try ProductService(options: .init(kafka: kafka, prefix: "flywheel.", projects: ["digits", "digits-random"], seed: 1, rate: 300, ledger: "/tmp/fw/product.log"), stop: stop, shipBroken: StopFlag()).run()
case "labels":
    try LabelTool(options: .init(kafka: kafka, prefix: "flywheel.", seed: 1, pace: 300), stop: stop).run()
case "status":
    for s in try StatusView(transport: KafkaStreamTransport(properties: kafka), topics: topics).summaries() {
        print(s.project, "entry", s.entryNumber, "champion", s.champion?.version.rawValue ?? "-", "challenger", s.challenger?.version.rawValue ?? "-", "open", s.openTasks, "votes", s.votesTotal, "labels", s.labels, "train", s.trainingLabels, "test", s.testLabels, "versions", s.versions, "studies", s.studies, "pairs", s.pairedLabels, "refusals", s.refusals, "cand", s.candidates)
        print("   ", s.stages.map { "\($0.name) \($0.meanSeconds)s x\($0.count)" }, s.annotators.map { "\($0.id) \($0.estimatedError ?? -1) (\($0.answers))" })
    }
case "replay":
    let r = Replay(transport: KafkaStreamTransport(properties: kafka), topics: topics)
    let d = try ProjectDirectory(transport: KafkaStreamTransport(properties: kafka), topics: topics)
    try d.readToEnd()
    for p in d.projects.values { print(try r.verify(project: p.project.rawValue, partition: p.partition)) }
default: break
}
