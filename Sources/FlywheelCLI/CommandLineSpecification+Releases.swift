import Arguments

/// Commands on releases.
extension CommandLineSpecification {
    static let releases = CommandSpecification(
        "releases",
        summary: "inspect and control releases, and register a model that serves before Flywheel trains one",
        subcommands: [
            CommandSpecification(
                "register",
                summary: "register a model that already serves as the project's first champion",
                discussion: """
                    Sends a command on the topic commands, unless the project already has a champion. The first trained model is
                    then judged against this one like any challenger. Waits up to 15 seconds until the loop has carried it out;
                    exits with 1 if the loop has refused it.
                    """,
                options: connection + [
                    project,
                    .option(
                        "artifact",
                        "URI",
                        help: "location of the model, for the service that serves it",
                        isRequired: true
                    ),
                    .option(
                        "sha256",
                        "HEX",
                        help: "SHA-256 digest of the artifact (computed if it is a file on this machine)"
                    ),
                    .option("size", "BYTES", help: "size of the artifact (computed if it is a file on this machine)"),
                    .repeated("metrics", "NAME=VALUE", help: "known metric of the model, as in accuracy=0.93"),
                    .option("by", "NAME", help: "name to record as the sender (default: your user name)"),
                    .option("reason", "TEXT", help: "reason, for people", defaultValue: "it served before"),
                ],
                positionals: [PositionalSpecification("version", help: "model.version of the model's predictions")]
            ),
            CommandSpecification(
                "log",
                summary: "list every transition of a project's model versions, or the version that was live at a time",
                discussion: """
                    Reads the topic release-log, and prints the oldest transition first. With --at prints the version that was
                    live at that time, and exits with 1 if that is not recorded: models older than the topic are not on it.
                    """,
                options: connection + [
                    .option("at", "TIME", help: "time with its zone, as in 2026-03-01T12:00:00Z"), jsonLines,
                ],
                positionals: [releasedProject]
            ),
            CommandSpecification(
                "show",
                summary: "print which version is live and which shadows, since when, and what is held or quarantined",
                options: connection + [json],
                positionals: [releasedProject]
            ),
            CommandSpecification(
                "why",
                summary: "print the evidence for the state of a model version",
                options: connection + [json],
                positionals: [
                    releasedProject, PositionalSpecification("version", help: "model version, as in v12"),
                ]
            ),
            controlling(
                "rollback",
                summary: "return to the previous champion and quarantine the live version, or withdraw a canary",
                discussion: """
                    Sends a command on the topic commands. The command names the version to roll back, so that of two concurrent
                    rollbacks one is refused. Waits up to 15 seconds until the loop has carried it out; exits with 1 if it has
                    not, or has refused it.
                    """,
                options: [
                    .option(
                        "from",
                        "VERSION",
                        help: "version to roll back: the canary or the live version (default: the live version)"
                    )
                ]
            ),
            controlling(
                "hold",
                summary: "stop promotions",
                discussion: """
                    Sends a command on the topic commands. Studies and shadowing continue, and rollbacks still happen. Waits up
                    to 15 seconds until the loop has carried it out; exits with 1 if it has not.
                    """
            ),
            controlling(
                "unhold",
                summary: "allow promotions again, from the next piece of evidence on",
                discussion: """
                    Sends a command on the topic commands. Waits up to 15 seconds until the loop has carried it out; exits with
                    1 if it has not.
                    """
            ),
            CommandSpecification(
                "compare",
                summary: "compare two model versions on audit labels: scores, tests, anchor and window",
                discussion: """
                    Applies the project's journal again, some microseconds per entry, and decides nothing. Differences are the
                    second version minus the first; if both are the same version, only its scores are printed. Scores count
                    labels newer than a version's release, and predictions made before the label was known.
                    """,
                options: connection + [json],
                positionals: [
                    releasedProject,
                    PositionalSpecification("first", help: "version to compare with, as in v11"),
                    PositionalSpecification("second", help: "other version, as in v12"),
                ]
            ),
            controlling(
                "freeze",
                summary: "stop promotions and studies, and return to the last trusted champion",
                discussion: """
                    Sends a command on the topic commands. The newest former champion that was live for
                    rollout.bake_before_trust replaces the champion, unless the champion was live for so long itself, or no
                    former one was. Feedback is kept, and rollbacks still happen. Waits up to 15 seconds until the loop has
                    carried it out; exits with 1 if it has not.
                    """
            ),
            controlling(
                "unfreeze",
                summary: "allow promotions and studies again",
                discussion: """
                    Sends a command on the topic commands. Waits up to 15 seconds until the loop has carried it out; exits with
                    1 if it has not.
                    """
            ),
            controlling(
                "suppress",
                summary: "remove a class from what services may answer and annotators may choose",
                discussion: """
                    Sends a command on the topic commands. The next release and each after it name the class as suppressed, and
                    services leave it out of their answers. New tasks do not offer it, and its audit labels judge no model.
                    Predictions, feedback and candidates of it are kept as before. Waits up to 15 seconds until the loop has
                    carried it out; exits with 1 if it has not, or has refused it.
                    """,
                positionals: [suppressedClass]
            ),
            controlling(
                "unsuppress",
                summary: "restore a suppressed class",
                discussion: """
                    Sends a command on the topic commands. Waits up to 15 seconds until the loop has carried it out; exits with
                    1 if it has not, or has refused it.
                    """,
                positionals: [suppressedClass]
            ),
            CommandSpecification(
                "approve",
                summary: "approve the step of a model's rollout that requires it",
                discussion: """
                    Sends a command on the topic commands. The rollout passes the step once its bake is over and the required
                    voices have arrived. Waits up to 15 seconds until the loop has carried the command out; exits with 1 if it
                    has not, or has refused it.
                    """,
                options: connection + [
                    .option("by", "NAME", help: "name to record as the approver (default: your user name)"),
                    .option("reason", "TEXT", help: "reason, for people", defaultValue: "approved"),
                ],
                positionals: [releasedProject, PositionalSpecification("version", help: "model version in rollout")]
            ),
        ]
    )

    private static func controlling(
        _ name: String,
        summary: String,
        discussion: String,
        options: [OptionSpecification] = [],
        positionals: [PositionalSpecification] = []
    ) -> CommandSpecification {
        CommandSpecification(
            name,
            summary: summary,
            discussion: discussion,
            options: connection + options + [
                .option("by", "NAME", help: "name to record as the sender (default: your user name)"),
                .option("reason", "TEXT", help: "reason, for people; stored permanently", isRequired: true),
            ],
            positionals: [releasedProject] + positionals
        )
    }

    private static let suppressedClass = PositionalSpecification(
        "class",
        help: "name of the class in the project's question"
    )

    private static let releasedProject = PositionalSpecification("project", help: "name of the project")
    private static let jsonLines = OptionSpecification.flag(
        "json",
        help: "print JSON: one line per transition, or with --at one value"
    )
}
