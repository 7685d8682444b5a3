import Arguments
import EngineCore

/// Every command and option.
enum CommandLineSpecification {
    static let connection: [OptionSpecification] = [
        .option("config", "FILE", help: "worker file in YAML, with connections and resources"),
        .option(
            "bootstrap",
            "HOST:PORT",
            help: "brokers to contact (default: kafka.bootstrap.servers of the file, else FLYWHEEL_BOOTSTRAP)"
        ),
        .option("prefix", "TEXT", help: "prefix of the topics' names (default: flywheel.)"),
        .repeated("kafka", "NAME=VALUE", help: "set any librdkafka property"),
    ]
    static let json = OptionSpecification.flag("json", help: "print JSON, one value per line")
    static let project = OptionSpecification.option("project", "NAME", help: "name of the project", isRequired: true)

    static let parser = ArgumentParser(root, version: "flywheel \(Build.version)")

    static let root = CommandSpecification(
        "flywheel",
        summary: "an active-learning engine over Kafka",
        discussion: "flywheel --version prints the build.",
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
            .option(
                "roles",
                "LIST",
                help: "roles to run, separated by commas: intake, loop, materializer, trainer, console"
            ),
            .option(
                "instance",
                "NAME",
                help: "name of the worker, unique and kept across restarts (default: the host's name)"
            ),
            .option("store", "PLACE", help: "store of the dataset versions: a folder or s3://BUCKET/PREFIX"),
            .option(
                "artifacts",
                "PLACE",
                help: "store of the built-in trainer's models: a folder or s3://BUCKET/PREFIX"
            ),
            .option("state", "DIR", help: "folder of the loop's snapshots; empty for none"),
            .option("host", "ADDRESS", help: "address for health and metrics (default: 127.0.0.1)"),
            .option("port", "N", help: "port for health and metrics; 0 picks a free one (default: 8080)"),
            .option("health-port", "N", help: "additional port for health alone; 0 picks a free one"),
            .repeated("project", "FILE", help: "project file to apply before the worker starts"),
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
        summary: "run the complete cycle on real data, and write a report",
        options: [
            .flag("quick", help: "make a shorter run"),
            .option("seed", "S", help: "seed of the images, the users, the annotators and their errors (default: 1)"),
            .option("seeds", "A...B", help: "make one run for each seed from A to B"),
            json,
            .option(
                "bootstrap",
                "HOST:PORT",
                help: "running broker (default: FLYWHEEL_BOOTSTRAP, else one that deploy/broker starts)"
            ),
            .option(
                "broker-kind",
                "TEXT",
                help: "name of the broker, as in \"noida-db 0.2.3\"; with noida-db the worker is stopped gracefully"
            ),
            .option("out", "DIR", help: "folder of the report", defaultValue: "demo-out"),
            .option("duration", "SECONDS", help: "length of a run"),
            .option(
                "store",
                "URL",
                help: "s3://BUCKET/PREFIX, below which each run stores its versions and models (default: --out)"
            ),
            .flag("permute-truth", help: "honesty check: make the annotators' truth random for each sample"),
        ]
    )

    static let participant = CommandSpecification(
        "participant",
        summary: "run one of the demo's participants, which are ordinary clients of the topics",
        subcommands: [
            CommandSpecification(
                "product",
                summary: "run the demo's product service",
                options: connection + [
                    .option("seed", "S", help: "seed of the images and the users", defaultValue: "1"),
                    .option("rate", "N", help: "images per second", defaultValue: "300"),
                    .repeated("project", "NAME", help: "project to serve", isRequired: true),
                    .option("ledger", "FILE", help: "file to which it appends its actions, one JSON object per line"),
                ]
            ),
            CommandSpecification(
                "label-tool",
                summary: "run the demo's label tool, with simulated annotators",
                options: connection + [
                    .option("seed", "S", help: "seed of the annotators", defaultValue: "1"),
                    .option("pace", "MS", help: "mean time for an answer, in milliseconds", defaultValue: "500"),
                    .flag("permute-truth", help: "make the truth random for each sample"),
                    .option("ledger", "FILE", help: "file to which it appends its actions, one JSON object per line"),
                ]
            ),
        ]
    )

    static let topics = CommandSpecification(
        "topics",
        summary: "create and check the topics, and print access rights to them",
        subcommands: [
            CommandSpecification(
                "create",
                summary: "create the topics that are missing",
                options: connection + [
                    .option(
                        "traffic-partitions",
                        "N",
                        help: "partitions of each topic that services write to",
                        defaultValue: "4"
                    ),
                    .option(
                        "project-partitions",
                        "N",
                        help: "partitions of each topic that belongs to projects",
                        defaultValue: "4"
                    ),
                    .option("replication", "N", help: "replicas of every topic (default: that of the broker)"),
                ]
            ),
            CommandSpecification(
                "check",
                summary: "compare the topics with their required settings",
                options: connection
            ),
            acls,
        ]
    )

    static let acls = CommandSpecification(
        "acls",
        summary: "print the access rights that a role or an outside party needs, as kafka-acls.sh commands",
        discussion: """
            Takes the rights from the catalogue of topics: all that the party needs, and no others. Contacts no broker.
            """,
        options: connection + [
            .option(
                "role",
                "ROLE",
                help: "role or party: intake, loop, materializer, trainer, console, product-service, label-tool, "
                    + "outside-trainer, analyst, operator or redrive"
            ),
            .option("principal", "NAME", help: "principal that is granted the rights, as in User:intake"),
            .option(
                "group",
                "NAME",
                help: "consumer group of an outside party (default: any name that begins with PREFIX and ROLE)"
            ),
            .option(
                "command-config",
                "FILE",
                help: "properties file with the credentials for kafka-acls.sh",
                defaultValue: "admin.properties"
            ),
            .flag("table", help: "print a Markdown table of all roles instead"), json,
        ]
    )

    static let projects = CommandSpecification(
        "project",
        summary: "configure projects",
        subcommands: [
            CommandSpecification(
                "apply",
                summary: "check a project file and write it as the project's next revision",
                options: connection + [json],
                positionals: [PositionalSpecification("file", help: "project file in YAML")]
            ),
            CommandSpecification("list", summary: "list the projects", options: connection + [json]),
            CommandSpecification(
                "show",
                summary: "print a project's newest revision",
                options: connection,
                positionals: [PositionalSpecification("name", help: "name of the project")]
            ),
            CommandSpecification(
                "resume",
                summary: "resume a project that was paused because of an entry in its journal",
                options: connection + [
                    .option("by", "NAME", help: "name to record as the sender (default: your user name)"),
                    .option("reason", "TEXT", help: "reason, for people", defaultValue: "the cause is mended"),
                ],
                positionals: [PositionalSpecification("name", help: "name of the project")]
            ),
        ]
    )

    static let labels = CommandSpecification(
        "labels",
        summary: "import labels that were made elsewhere",
        subcommands: [
            CommandSpecification(
                "import",
                summary: "import the labels of a file into the training or validation split",
                discussion: """
                    Reads CSV with a header, JSON Lines, Label Studio's JSON export, or a manifest of SageMaker Ground Truth.
                    All rows are checked first, against each other, the project's classes and the labels that it has; if one
                    is faulty, nothing is sent and the command exits with 1. A label is imported once, by its source and the
                    sample's id; if a run is interrupted, the next one continues where it stopped.
                    """,
                options: connection + [
                    project, .flag("validation", help: "import into the validation split, used to measure scores"),
                    .option(
                        "source",
                        "NAME",
                        help: "name of the labels' source (default: the file's name without its extension)"
                    ),
                    .option("label", "NAME", help: "column or member with the class", defaultValue: "label"),
                    .option(
                        "annotator",
                        "NAME",
                        help: "column or member with the annotator; if present, labels are votes",
                        defaultValue: "annotator"
                    ),
                    .option(
                        "label-attribute",
                        "NAME",
                        help: "label attribute to read from a Ground Truth manifest that has several"
                    ),
                    .repeated("rename", "OLD=NEW", help: "class OLD of the file is NEW in the project"),
                ] + ImportOptions.fields + ImportOptions.sending,
                positionals: [PositionalSpecification("file", help: "file with labels")]
            )
        ]
    )

    static let samples = CommandSpecification(
        "samples",
        summary: "import samples to query",
        subcommands: [
            CommandSpecification(
                "import",
                summary: "publish the samples of a file or folder as predictions without output",
                discussion: """
                    Reads CSV with a header, JSON Lines, or a folder of images, which are published as URIs of their files.
                    Use it for a pool before there is a model, or for a backlog. All rows are checked first; if a run is
                    interrupted, the next one continues where it stopped.
                    """,
                options: connection + [project] + ImportOptions.fields + ImportOptions.sending,
                positionals: [PositionalSpecification("file", help: "file with samples, or folder of images")]
            )
        ]
    )

    static let status = CommandSpecification(
        "status",
        summary: "print champion and challenger, budget, open tasks, lag, time per phase, and dead letters",
        options: connection + [json, .flag("watch", help: "repeat every two seconds until interrupted")]
    )

    static let replay = CommandSpecification(
        "replay",
        summary: "derive the decisions again from a project's journal",
        options: connection + [
            .option("project", "NAME", help: "project to replay (default: all)"),
            .flag("verify", help: "compare with the decisions on the topics; exit with 1 if they differ"), json,
        ]
    )

    static let explain = CommandSpecification(
        "explain",
        summary: "explain why a sample was or was not queried",
        discussion: """
            Reads the journal. If the sample was never a candidate, reads its predictions, as long as they are retained,
            scores them again, and compares them with the threshold that the tallies recorded. Exits with 1 if nothing is
            known about the sample.
            """,
        options: connection + [
            project, json,
            .option("since", "AGE", help: "maximum age of predictions to read, as in 90m or 7d", defaultValue: "24h"),
        ],
        positionals: [PositionalSpecification("sample", help: "id of the sample")]
    )

    static let deadLetters = CommandSpecification(
        "dead-letters",
        summary: "inspect refused records, and send them again",
        subcommands: [
            CommandSpecification(
                "list",
                summary: "list dead letters, the oldest first",
                options: connection + DeadLetterOptions.all + [
                    json, .option("limit", "N", help: "list only the newest N", defaultValue: "100"),
                ]
            ),
            CommandSpecification(
                "show",
                summary: "print one dead letter: the record as received, and why it was refused",
                options: connection + [json],
                positionals: [PositionalSpecification("place", help: "PARTITION/OFFSET, as `list` prints it")]
            ),
            CommandSpecification(
                "redrive",
                summary: "send refused records back to their original topics",
                discussion: """
                    Each dead letter is sent once; a mark on the topic records it. A record that is refused again becomes a new
                    dead letter, with its attempts counted. Exits with 1 if a selected dead letter could not be sent, or if --at
                    is given and no dead letter matches.
                    """,
                options: connection + DeadLetterOptions.all + [
                    .flag("all", help: "select every dead letter"),
                    .flag("dry-run", help: "print what would be sent, and send nothing"),
                    .option("max-attempts", "N", help: "maximum times that a record is sent again", defaultValue: "3"),
                    .flag("again", help: "also send dead letters that were sent before"),
                    json,
                ]
            ),
        ]
    )

    static let check = CommandSpecification(
        "check",
        summary: "check whether Intake would accept each record of a file, and if not, why",
        discussion: """
            Runs the checks of Intake without a broker. The file has one record per line (JSON Lines); - is standard input.
            Empty lines are skipped. What only a worker knows is not checked: whether a token is valid, whether an artifact
            exists, which embedding space was learnt. Exits with 1 if a record would be refused.
            """,
        options: [
            .repeated("project", "FILE", help: "project file in YAML; one for each project", isRequired: true),
            .option(
                "initial-classes",
                "N",
                help: "number of classes that the project began with, if some were appended since (default: all)"
            ),
            .flag("quiet", help: "print only refused records, records with remarks, and the summary"),
            .flag("json", help: "print JSON: one object per record, and one for the summary"),
        ],
        positionals: [
            PositionalSpecification("kind", help: "prediction, feedback, annotation, training-result or import"),
            PositionalSpecification("file", help: "file with one record per line; - for standard input"),
        ]
    )

    static let config = CommandSpecification(
        "config",
        summary: "check configuration files, and print the reference of their keys",
        subcommands: [
            CommandSpecification(
                "check",
                summary: "check a worker file or a project file without contacting a broker",
                positionals: [PositionalSpecification("file", help: "worker file or project file in YAML")]
            ),
            CommandSpecification(
                "reference",
                summary: "print every key of a project file, with values, default and meaning",
                options: [
                    .flag("schema", help: "print the JSON Schema of the records on the topic projects instead"),
                    .flag("worker", help: "print every key of a worker file instead"),
                ]
            ),
        ]
    )
}
