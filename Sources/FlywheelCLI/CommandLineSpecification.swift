import Arguments
import EngineCore

/// Every command and option.
enum CommandLineSpecification {
    static let connection: [OptionSpecification] = [
        .option("config", "FILE", help: "worker file in YAML: connections and resources"),
        .option(
            "bootstrap",
            "HOST:PORT",
            help: "brokers, in place of kafka.bootstrap.servers of the file (else FLYWHEEL_BOOTSTRAP)"
        ),
        .option("prefix", "TEXT", help: "prefix of the topics' names (default flywheel.)"),
        .repeated("kafka", "NAME=VALUE", help: "any librdkafka property"),
    ]
    static let json = OptionSpecification.flag("json", help: "one JSON value on standard output")
    static let project = OptionSpecification.option("project", "NAME", help: "the project", isRequired: true)

    static let parser = ArgumentParser(root, version: "flywheel \(Build.version)")

    static let root = CommandSpecification(
        "flywheel",
        summary: "an active-learning engine over Kafka",
        discussion: "flywheel --version names the build.",
        subcommands: [
            run, demo, participant, topics, projects, releases, labels, samples,
            status, dataset, replay, explain, deadLetters, config,
            check,
        ]
    )

    static let run = CommandSpecification(
        "run",
        summary: "run a worker until it is stopped by SIGTERM or SIGINT",
        options: connection + [
            .option("roles", "LIST", help: "of intake, loop, materializer, trainer, console; separated by commas"),
            .option(
                "instance",
                "NAME",
                help: "this worker among others; a restarted one keeps its name (default the host's)"
            ),
            .option("store", "PLACE", help: "of the dataset versions: a folder, or s3://BUCKET/PREFIX"),
            .option(
                "artifacts",
                "PLACE",
                help: "of the built-in trainer's models: a folder, or s3://BUCKET/PREFIX"
            ),
            .option("state", "DIR", help: "folder of the loop's snapshots; empty for none"),
            .option("host", "ADDRESS", help: "address of health and metrics (default 127.0.0.1)"),
            .option("port", "N", help: "port of health and metrics (default 8080); 0 for any free one"),
            .option("health-port", "N", help: "a further port, of health alone; 0 for any free one"),
            .repeated("project", "FILE", help: "apply this project first"),
            .option(
                "log-level",
                "LEVEL",
                help: "trace, debug, info, notice, warning, error or critical",
                defaultValue: "info"
            ),
        ]
    )

    static let demo = CommandSpecification(
        "demo",
        summary: "run the whole flywheel on real data",
        options: [
            .flag("quick", help: "a shorter run"),
            .option("seed", "S", help: "fixes the world, the annotators and their errors (default 1)"),
            .option("seeds", "A...B", help: "a run for each seed"),
            json,
            .option("bootstrap", "HOST:PORT", help: "a running broker; without it deploy/broker starts one"),
            .option(
                "broker-kind",
                "TEXT",
                help: "what runs there, as in \"noida-db 0.2.3\", whose worker is stopped gently"
            ),
            .option("out", "DIR", help: "folder of the report", defaultValue: "demo-out"),
            .option("duration", "SECONDS", help: "length of a run"),
            .option(
                "store",
                "URL",
                help: "s3://BUCKET/PREFIX, in which each run has a place for versions and models (default: --out)"
            ),
            .flag("permute-truth", help: "honesty check: the annotators' truth is random per sample"),
        ]
    )

    static let participant = CommandSpecification(
        "participant",
        summary: "the demo's participants: clients of the topics like any other",
        subcommands: [
            CommandSpecification(
                "product",
                summary: "the demo's product service",
                options: connection + [
                    .option("seed", "S", help: "the world's seed", defaultValue: "1"),
                    .option("rate", "N", help: "images a second", defaultValue: "300"),
                    .repeated("project", "NAME", help: "a project to serve", isRequired: true),
                    .option("ledger", "FILE", help: "where it writes down what it did"),
                ]
            ),
            CommandSpecification(
                "label-tool",
                summary: "the demo's label tool, with simulated annotators",
                options: connection + [
                    .option("seed", "S", help: "the annotators' seed", defaultValue: "1"),
                    .option("pace", "MS", help: "mean milliseconds of an answer", defaultValue: "500"),
                    .flag("permute-truth", help: "the truth is random per sample"),
                    .option("ledger", "FILE", help: "where it writes down what it did"),
                ]
            ),
        ]
    )

    static let topics = CommandSpecification(
        "topics",
        summary: "make and check the topics",
        subcommands: [
            CommandSpecification(
                "create",
                summary: "make the topics that are missing",
                options: connection + [
                    .option("traffic-partitions", "N", help: "of the topics that services write", defaultValue: "4"),
                    .option(
                        "project-partitions",
                        "N",
                        help: "of the topics that belong to projects",
                        defaultValue: "4"
                    ),
                    .option("replication", "N", help: "replicas of every topic (default the broker's)"),
                ]
            ),
            CommandSpecification("check", summary: "compare the topics with what they must be", options: connection),
            acls,
        ]
    )

    static let acls = CommandSpecification(
        "acls",
        summary: "print the rights that a role or an outside party needs, for kafka-acls.sh",
        discussion: """
            From the catalogue of the topics: everything that the party must be allowed, and nothing else. Asks no broker.
            """,
        options: connection + [
            .option(
                "role",
                "ROLE",
                help: "intake, loop, materializer, trainer, console, product-service, label-tool, outside-trainer, "
                    + "analyst, operator or redrive"
            ),
            .option("principal", "NAME", help: "who is to have them, as in User:intake"),
            .option("group", "NAME", help: "the consumer group of an outside party (default PREFIX and ROLE, and on)"),
            .option(
                "command-config",
                "FILE",
                help: "with the credentials of kafka-acls.sh",
                defaultValue: "admin.properties"
            ),
            .flag("table", help: "a Markdown table of all roles instead"), json,
        ]
    )

    static let projects = CommandSpecification(
        "project",
        summary: "configure projects",
        subcommands: [
            CommandSpecification(
                "apply",
                summary: "check a project file and make it the next revision",
                options: connection + [json],
                positionals: [PositionalSpecification("file", help: "the project in YAML")]
            ),
            CommandSpecification("list", summary: "list the projects", options: connection + [json]),
            CommandSpecification(
                "show",
                summary: "print a project's newest revision",
                options: connection,
                positionals: [PositionalSpecification("name", help: "the project")]
            ),
            CommandSpecification(
                "resume",
                summary: "let a project go on that was paused because an entry of its journal brought workers down",
                options: connection + [
                    .option("by", "NAME", help: "who wants it (default the user's name)"),
                    .option("reason", "TEXT", help: "why, for people", defaultValue: "the cause is mended"),
                ],
                positionals: [PositionalSpecification("name", help: "the project")]
            ),
        ]
    )

    static let labels = CommandSpecification(
        "labels",
        summary: "bring labels that were given elsewhere",
        subcommands: [
            CommandSpecification(
                "import",
                summary: "import the labels of a file into training or validation",
                discussion: """
                    A file of CSV with a header, JSON Lines, Label Studio's JSON export, or a manifest of SageMaker Ground
                    Truth. All rows are checked first, against each other, the project's classes and what it knows; if one is
                    wrong, nothing is sent and it exits with 1. A label is imported once, by its source and the sample's id;
                    a run that was interrupted goes on where it was.
                    """,
                options: connection + [
                    project, .flag("validation", help: "into the validation split, on which scores are read"),
                    .option("source", "NAME", help: "who brings them (default the file's name)"),
                    .option("label", "NAME", help: "column or member with the class", defaultValue: "label"),
                    .option("annotator", "NAME", help: "with who said so: votes", defaultValue: "annotator"),
                    .option("label-attribute", "NAME", help: "of a Ground Truth manifest with several"),
                    .repeated("rename", "OLD=NEW", help: "a class of the file, and its name in the project"),
                ] + ImportOptions.fields + ImportOptions.sending,
                positionals: [PositionalSpecification("file", help: "with labels")]
            )
        ]
    )

    static let samples = CommandSpecification(
        "samples",
        summary: "bring samples to ask about",
        subcommands: [
            CommandSpecification(
                "import",
                summary: "publish the samples of a file or folder as predictions without output",
                discussion: """
                    A file of CSV with a header or JSON Lines, or a folder of images, which become their files' URIs. For a
                    pool before there is a model, or a backlog. All rows are checked first; a run that was interrupted goes
                    on where it was.
                    """,
                options: connection + [project] + ImportOptions.fields + ImportOptions.sending,
                positionals: [PositionalSpecification("file", help: "with samples; or a folder of images")]
            )
        ]
    )

    static let status = CommandSpecification(
        "status",
        summary: "champion and challenger, budget, open tasks, lag, time per phase, dead letters",
        options: connection + [json, .flag("watch", help: "again every two seconds, until interrupted")]
    )

    static let replay = CommandSpecification(
        "replay",
        summary: "decide a project's journal again",
        options: connection + [
            .option("project", "NAME", help: "the project; all if left out"),
            .flag("verify", help: "compare with the decisions on the topics; exit 1 at a difference"), json,
        ]
    )

    static let explain = CommandSpecification(
        "explain",
        summary: "explain why a sample was asked for, or was not",
        discussion: """
            From the journal when it was a candidate, else from its predictions while they are retained, scored again under
            the threshold that the tallies recorded. Exits with 1 if nothing is known of the sample.
            """,
        options: connection + [
            project, json,
            .option("since", "AGE", help: "read predictions of this age at most, as in 90m or 7d", defaultValue: "24h"),
        ],
        positionals: [PositionalSpecification("sample", help: "the sample's id")]
    )

    static let deadLetters = CommandSpecification(
        "dead-letters",
        summary: "inspect refused records, and send them again",
        subcommands: [
            CommandSpecification(
                "list",
                summary: "list them, the oldest first",
                options: connection + DeadLetterOptions.all + [
                    json, .option("limit", "N", help: "at most so many, the newest", defaultValue: "100"),
                ]
            ),
            CommandSpecification(
                "show",
                summary: "print one dead letter: the record as it came, and why it was refused",
                options: connection + [json],
                positionals: [PositionalSpecification("place", help: "PARTITION/OFFSET, as `list` prints it")]
            ),
            CommandSpecification(
                "redrive",
                summary: "send refused records back to where they came from",
                discussion: """
                    Each dead letter is sent again once; a mark on the topic says so. A record that is refused again comes back
                    with its attempts counted. Exits with 1 if a letter that was meant was refused.
                    """,
                options: connection + DeadLetterOptions.all + [
                    .flag("all", help: "every dead letter"),
                    .flag("dry-run", help: "say what would be sent, and send nothing"),
                    .option("max-attempts", "N", help: "a record is sent again so often at most", defaultValue: "3"),
                    .flag("again", help: "also dead letters that were sent again before"),
                    json,
                ]
            ),
        ]
    )

    static let check = CommandSpecification(
        "check",
        summary: "say of each record in a file whether Intake would take it, and if not why",
        discussion: """
            By the code that Intake runs, without a broker. The file has a record a line (JSON Lines); - is standard input.
            Empty lines are passed over. What only a worker knows is not checked: whether a token is the right one, whether
            an artifact is there, which embedding space was learnt. Exits with 1 if a record would be refused.
            """,
        options: [
            .repeated("project", "FILE", help: "project file in YAML; one for each project", isRequired: true),
            .option(
                "initial-classes",
                "N",
                help: "classes that the project began with, if some were appended since (default all)"
            ),
            .flag("quiet", help: "only records that are refused or remarked on, and the summary"),
            .flag("json", help: "one JSON object a record, and one for the summary"),
        ],
        positionals: [
            PositionalSpecification("kind", help: "prediction, feedback, annotation, training-result or import"),
            PositionalSpecification("file", help: "records, one a line; - for standard input"),
        ]
    )

    static let config = CommandSpecification(
        "config",
        summary: "check files, and print their keys",
        subcommands: [
            CommandSpecification(
                "check",
                summary: "check a worker file or a project file without connecting",
                positionals: [PositionalSpecification("file", help: "in YAML")]
            ),
            CommandSpecification(
                "reference",
                summary: "print every key of a project file, with values, default and meaning",
                options: [
                    .flag("schema", help: "the JSON Schema of the topic's records, instead"),
                    .flag("worker", help: "every key of a worker's file, instead"),
                ]
            ),
        ]
    )
}
