// swift-tools-version: 6.2
import PackageDescription

// The layers, bottom up. A target imports only rows above its own that its entry names; a test holds
// this file and every import against the table in docs/architecture.md.

// Generated code cannot mark what it does as unsafe; the layer test keeps `unsafe` out of the rest.
let generated: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]
let strict = generated + [.strictMemorySafety()]

// Swift's libraries go into the program: it starts 4 ms sooner, and runs without a toolchain. Only lld
// finds its way through the static Foundation's circles.
let standalone = [
  "-static-stdlib", "-use-ld=lld", "-l_FoundationICU", "-lCoreFoundation", "-l_FoundationCShims",
  "-l_FoundationCollections", "-lstdc++",
]

let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "distro",
  products: [.executable(name: "distro", targets: ["distro"])],
  dependencies: [
    // Commands, help and shell completions.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // What every Swift server logs through.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // Bytes that a third party can read and write in any language.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    // Daemons that start and stop in order.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // SQLite: mailboxes, the signer's streams, the applier's journal.
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // The configuration files.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Layer 0: one C library's headers each, and the words in which git objects are described.
    .systemLibrary(name: "CGit2", path: "Sources/C/CGit2", providers: [.apt(["libgit2-dev"])]),
    .systemLibrary(
      name: "CSodium", path: "Sources/C/CSodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CZeroMQ", path: "Sources/C/CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "CZstd", path: "Sources/C/CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/C/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLinux", path: "Sources/C/CLinux"),
    .target(name: "GitModel", path: "Sources/Foundations/GitModel", swiftSettings: strict),
    .target(
      name: "Diagnostics", dependencies: [logging], path: "Sources/Foundations/Diagnostics",
      swiftSettings: strict),

    // Layer 1: one concern each; none knows another.
    .target(
      name: "MessageFormat", dependencies: ["GitModel", protobuf],
      path: "Sources/Messages/MessageFormat", exclude: ["proto"],
      swiftSettings: generated),
    .target(
      name: "Sodium", dependencies: ["Diagnostics", "CSodium"], path: "Sources/Messages/Sodium",
      swiftSettings: strict),
    .target(
      name: "Git", dependencies: ["GitModel", "Diagnostics", "CGit2", "CLinux"],
      path: "Sources/Git/Git",
      swiftSettings: strict),
    .target(
      name: "PatchText", dependencies: ["GitModel", "CZlib"], path: "Sources/Git/PatchText",
      swiftSettings: strict),
    .target(
      name: "WorkingTree", dependencies: ["GitModel", "Diagnostics", "CLinux"],
      path: "Sources/Git/WorkingTree",
      swiftSettings: strict),
    .target(
      name: "ZeroMQ", dependencies: ["Diagnostics", "CZeroMQ"], path: "Sources/Carriers/ZeroMQ",
      swiftSettings: strict),
    .target(
      name: "Compression", dependencies: ["Diagnostics", "CZstd"],
      path: "Sources/Foundations/Compression",
      swiftSettings: strict),
    .target(
      name: "Spool", dependencies: ["Diagnostics", "CLinux"], path: "Sources/Foundations/Spool",
      swiftSettings: strict),
    .target(
      name: "Host", dependencies: ["Diagnostics", "CLinux"], path: "Sources/Foundations/Host",
      swiftSettings: strict),

    // Layer 2: what both halves of the pipeline share.
    .target(
      name: "Sealing", dependencies: ["MessageFormat", "Sodium", "Spool"],
      path: "Sources/Messages/Sealing", swiftSettings: strict),
    .target(
      name: "Patching", dependencies: ["GitModel", "MessageFormat", "Git", "PatchText"],
      path: "Sources/Git/Patching",
      swiftSettings: strict),
    .target(
      name: "Mailboxes", dependencies: ["Diagnostics", "GitModel", "MessageFormat", "Spool", grdb],
      path: "Sources/Carriers/Mailboxes", swiftSettings: strict),

    // Layer 3: how sealed messages travel.
    .target(
      name: "CarrierProtocol",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Sealing", "Mailboxes", "Host", logging,
      ], path: "Sources/Carriers/CarrierProtocol", swiftSettings: strict),

    // Layer 4: what moves them, one target a transport.
    .target(
      name: "ZeroMQCarrier",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Sealing", "Mailboxes", "ZeroMQ", "Host",
        "CarrierProtocol", logging,
      ], path: "Sources/Carriers/ZeroMQCarrier", swiftSettings: strict),

    .target(
      name: "InProcessCarrier",
      dependencies: ["MessageFormat", "Mailboxes", "Host", "CarrierProtocol"],
      path: "Sources/Carriers/InProcessCarrier", swiftSettings: strict),

    // Layer 4: the two halves, and what stands between them; they never meet.
    .target(
      name: "Signer",
      dependencies: [
        "Diagnostics", "GitModel", "MessageFormat", "Sodium", "Git", "Compression", "Sealing",
        "Patching", "Mailboxes", "CarrierProtocol", "Host", grdb, logging,
      ], path: "Sources/Roles/Signer", swiftSettings: strict),
    .target(
      name: "Applier",
      dependencies: [
        "GitModel", "Diagnostics", "MessageFormat", "Sodium", "Git", "PatchText", "WorkingTree",
        "Compression", "Sealing", "Patching", "Mailboxes", "Host", grdb, logging,
      ], path: "Sources/Roles/Applier", swiftSettings: strict),

    .target(
      name: "Relay",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Spool", "Sealing", "Mailboxes",
        "CarrierProtocol", grdb, logging,
      ], path: "Sources/Roles/Relay", swiftSettings: strict),

    // Layer 5: commands, configuration, terminal; joins the halves.
    .executableTarget(
      name: "distro",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Git", "Sealing", "Mailboxes", "CarrierProtocol",
        "ZeroMQCarrier", "Signer", "Applier", "Relay", "Host", arguments, lifecycle, signals, yaml,
        logging,
      ], swiftSettings: generated, linkerSettings: [.unsafeFlags(standalone)]),

    // Tests mirror the targets.
    // `make bench`: runs the program above, and measures it beside what others do.
    .executableTarget(
      name: "distro-bench",
      dependencies: [
        "MessageFormat", "Sodium", "ZeroMQ", "ZeroMQCarrier", "Sealing", "Mailboxes",
        "CarrierProtocol",
        "Host", "Signer", "Applier", "TestSupport", grdb,
      ], path: "Tests/Bench", swiftSettings: generated),
    // `make crash-test`: kills the program above, and judges what is left.
    .executableTarget(
      name: "distro-crash", dependencies: ["TestSupport", grdb], path: "Tests/Crash",
      swiftSettings: generated),
    // `make simulate`: a whole fleet in one process, on one thread, in a time of its own.
    .executableTarget(
      name: "distro-simulate",
      dependencies: [
        "GitModel", "Host", "MessageFormat", "CSodium", "Sodium", "Git", "Sealing", "Mailboxes",
        "CarrierProtocol", "Signer", "Applier", "TestSupport", grdb, logging,
      ], path: "Tests/Simulation", swiftSettings: generated),
    .target(
      name: "TestSupport",
      dependencies: ["GitModel", "MessageFormat", "Sodium", "Sealing", "Mailboxes", grdb],
      path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "CarriersTests",
      dependencies: [
        "CarrierProtocol", "ZeroMQCarrier", "InProcessCarrier", "Mailboxes", "MessageFormat",
        "Sodium", "ZeroMQ",
        "Host",
        "TestSupport", grdb, logging,
      ], swiftSettings: strict),
    .testTarget(name: "CompressionTests", dependencies: ["Compression"], swiftSettings: strict),
    .testTarget(name: "GitModelTests", dependencies: ["GitModel"], swiftSettings: strict),
    .testTarget(
      name: "GitTests", dependencies: ["Git", "GitModel", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "LayerTests", swiftSettings: strict),
    .testTarget(
      name: "HostTests", dependencies: ["Host", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MailboxesTests",
      dependencies: [
        "Diagnostics", "GitModel", "Mailboxes", "MessageFormat", "Spool", "TestSupport", grdb,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PatchTextTests", dependencies: ["PatchText", "GitModel", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PatchingTests",
      dependencies: ["Patching", "Git", "GitModel", "PatchText", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "GitModel", "MessageFormat", "Sodium", "Git", "PatchText", "ZeroMQ", "Compression",
        "Sealing", "Patching", "Mailboxes", "CarrierProtocol", "ZeroMQCarrier", "Signer", "Applier",
        "Host", "TestSupport", grdb,
        logging,
      ], swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", grdb], swiftSettings: strict),
    .testTarget(
      name: "MessageFormatTests", dependencies: ["MessageFormat", "GitModel"],
      swiftSettings: strict),
    .testTarget(
      name: "RelayTests",
      dependencies: [
        "Relay", "CarrierProtocol", "ZeroMQCarrier", "Host", "Mailboxes", "Sealing",
        "MessageFormat", "Sodium", "ZeroMQ", "Spool",
        "TestSupport", grdb, logging,
      ], swiftSettings: strict),
    .testTarget(
      name: "SealingTests",
      dependencies: [
        "Sealing", "MessageFormat", "Sodium", "Spool", "Compression", "Git", "GitModel",
        "PatchText",
      ], exclude: ["Vectors"], swiftSettings: strict),
    .testTarget(
      name: "SodiumTests", dependencies: ["Sodium", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "SpoolTests", dependencies: ["Spool", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "WorkingTreeTests", dependencies: ["WorkingTree", "GitModel"],
      swiftSettings: strict),
    .testTarget(
      name: "ZeroMQTests", dependencies: ["ZeroMQ", "CZeroMQ", "Host", "TestSupport"],
      swiftSettings: strict),
  ]
)
