import Arguments

/// Commands on dataset versions, and on labels in them.
extension CommandLineSpecification {
    static let dataset = CommandSpecification(
        "dataset",
        summary: "inspect dataset versions, and change labels",
        subcommands: [
            CommandSpecification(
                "log",
                summary: "list the sealed versions of a project, or the changes of its labels",
                options: connection + [
                    project, .flag("changes", help: "list labels that were revised, retracted or moved instead"), json,
                ]
            ),
            change(
                "revise",
                summary: "change the class of a label",
                .option("to", "CLASS", help: "new class, one of the project's", isRequired: true)
            ),
            change("retract", summary: "remove a label from all later versions"),
            change(
                "move",
                summary: "move a label to another split",
                .option(
                    "to",
                    "SPLIT",
                    help: "training or validation; test labels may move to training",
                    isRequired: true
                )
            ),
            CommandSpecification(
                "show",
                summary: "print a version's manifest",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "store of the dataset versions: a folder or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "version number or id (default: the newest version)",
                        isRequired: false
                    )
                ]
            ),
            CommandSpecification(
                "verify",
                summary: "check that the files of a version match its manifest",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "store of the dataset versions: a folder or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "version number or id (default: all versions)",
                        isRequired: false
                    )
                ]
            ),
            CommandSpecification(
                "gc",
                summary: "remove the files of versions that are no longer needed",
                discussion: """
                    Keeps the newest version, those of champion, challenger, canary, former champions, the newest model and the
                    running or waiting study according to the loop's state, those that the loop has not read yet, and everything
                    younger than a day. Ids and version numbers are kept, and collected versions are not rebuilt from the log.
                    Workers may run meanwhile.
                    """,
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "store of the dataset versions: a folder or s3://BUCKET/PREFIX"),
                    .flag("dry-run", help: "print what would be removed, and why, and remove nothing"), json,
                ]
            ),
            CommandSpecification(
                "pack",
                summary: "write the labels of a version to a few plain files beside it, for fast reading",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "store of the dataset versions: a folder or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "version number or id (default: the newest version)",
                        isRequired: false
                    )
                ]
            ),
        ]
    )

    private static func change(
        _ name: String,
        summary: String,
        _ options: OptionSpecification...
    ) -> CommandSpecification {
        CommandSpecification(
            name,
            summary: summary,
            discussion: """
                Sends a command on the topic commands; the project's datasets.format must be 2. The change stays in the dataset
                log permanently, with its sender and reason; sealed versions do not change. Waits up to 15 seconds until the loop
                has carried it out; exits with 1 if it has not, or has refused it.
                """,
            options: connection + [
                project,
                .option("reason", "TEXT", help: "reason, for people; at most 1,024 bytes", isRequired: true),
                .option("by", "NAME", help: "name to record as the sender (default: your user name)"),
            ] + options,
            positionals: [PositionalSpecification("sample", help: "id of the sample")]
        )
    }
}
