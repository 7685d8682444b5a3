/// The footer of the page: the topics from which its data can be read.
struct PageFooter {
    private static let topics: [(name: String, meaning: String)] = [
        ("predictions", "what the models said about each digit"),
        ("annotations", "one annotator's answer to one task"),
        ("feedback", "what users did about a prediction"),
        ("journal", "everything that decisions depend on, in one order"),
        ("labeling-tasks", "whom to ask what, and why"),
        ("dataset-log", "labels accepted and revised, versions cut"),
        ("training-requests", "which version to train on, and how"),
        ("model-releases", "champion, challenger, and the evidence"),
        ("release-log", "which model was live when, and why"),
        ("dead-letters", "what was refused, and why"),
    ]

    var markup: Markup {
        let rows = Self.topics.map { topic -> Markup in
            "<dt><code>flywheel.\(topic.name)</code></dt><dd>\(topic.meaning)</dd>"
        }
        return """
            <footer><h2>Read it yourself</h2>
            <p>Every question, answer, label, version, release and rollback on this page is a JSON record on a Kafka topic. \
            The names below carry the default prefix. To follow a topic, seeing only what was committed:</p>
            <pre><code>kafka-console-consumer.sh --bootstrap-server BROKER --topic flywheel.model-releases \\
              --from-beginning --isolation-level read_committed</code></pre>
            <dl>\(rows)</dl>
            <p>The journal alone decides: replaying it gives the same decisions, byte for byte.</p></footer>
            """
    }
}
