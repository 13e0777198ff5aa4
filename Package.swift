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
// Tests wait for what they test, not for themselves: a release build of them takes a third of the time unoptimized.
let tests = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

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
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient: Target.Dependency = .product(
  name: "AsyncHTTPClient", package: "async-http-client")

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
    // Programs that we run: git, notices; an argument list, never a shell.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    // HMAC and SHA-256 of what code hosts sign.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // The HTTP server of webhooks.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    // Its event loops, and the parts of a request as its handlers see them.
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
    // Its certificates, which change while it runs.
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    // The HTTP client: statuses, notices, large files.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
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
    .target(name: "CCurl", path: "Sources/C/CCurl"),
    // A machine without such a broker needs no package for it: the archive goes into the program, and what it stands on
    // comes with libgit2.
    .target(
      name: "CRabbitMQ", path: "Sources/C/CRabbitMQ",
      linkerSettings: [
        .linkedLibrary(":librabbitmq.a"), .linkedLibrary("ssl"), .linkedLibrary("crypto"),
      ]),
    // Debian has no archive of libnats: it is loaded when a configuration names it.
    .target(name: "CNATS", path: "Sources/C/CNATS"),
    .target(name: "GitModel", path: "Sources/Foundations/GitModel", swiftSettings: strict),
    .target(
      name: "Diagnostics", dependencies: [logging], path: "Sources/Foundations/Diagnostics",
      swiftSettings: strict),
    .target(name: "Threads", path: "Sources/Foundations/Threads", swiftSettings: strict),

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
      name: "PatchText", dependencies: ["GitModel", "Diagnostics", "CZlib"],
      path: "Sources/Git/PatchText",
      swiftSettings: strict),
    .target(
      name: "WorkingTree", dependencies: ["GitModel", "Diagnostics", "CLinux"],
      path: "Sources/Git/WorkingTree",
      swiftSettings: strict),
    .target(
      name: "ZeroMQ", dependencies: ["Diagnostics", "Threads", "CZeroMQ"],
      path: "Sources/Carriers/ZeroMQ",
      swiftSettings: strict),
    .target(
      name: "RabbitMQ", dependencies: ["Diagnostics", "Threads", "CRabbitMQ"],
      path: "Sources/Carriers/RabbitMQ", swiftSettings: strict),
    .target(
      name: "STOMP", dependencies: ["Diagnostics", nioCore, nioPosix, nioSSL],
      path: "Sources/Carriers/STOMP", swiftSettings: strict),
    .target(
      name: "NATS", dependencies: ["Diagnostics", "CNATS"], path: "Sources/Carriers/NATS",
      swiftSettings: strict),
    .target(
      name: "Compression", dependencies: ["Diagnostics", "CZstd"],
      path: "Sources/Foundations/Compression",
      swiftSettings: strict),
    .target(
      name: "Spool", dependencies: ["Diagnostics", "CLinux"], path: "Sources/Foundations/Spool",
      swiftSettings: strict),
    .target(
      name: "SharedFiles", dependencies: ["Diagnostics"], path: "Sources/Foundations/SharedFiles",
      swiftSettings: strict),
    .target(
      name: "LargeFiles", dependencies: ["GitModel", "Diagnostics", crypto],
      path: "Sources/Foundations/LargeFiles", swiftSettings: strict),
    .target(
      name: "Host", dependencies: ["Diagnostics", "Threads", "CLinux"],
      path: "Sources/Foundations/Host",
      swiftSettings: strict),
    .target(
      name: "WebClient", dependencies: ["Diagnostics", httpClient, nioSSL],
      path: "Sources/Foundations/WebClient", swiftSettings: strict),
    .target(
      name: "Mail", dependencies: ["Diagnostics", "CCurl"], path: "Sources/Foundations/Mail",
      swiftSettings: strict),
    .target(
      name: "Programs", dependencies: ["Diagnostics", "CLinux", subprocess],
      path: "Sources/Foundations/Programs", swiftSettings: strict),

    // Layer 2: what both halves of the pipeline share.
    .target(
      name: "Sealing", dependencies: ["Diagnostics", "MessageFormat", "Sodium", "Spool"],
      path: "Sources/Messages/Sealing", swiftSettings: strict),
    .target(
      name: "Patching",
      dependencies: [
        "GitModel", "Diagnostics", "LargeFiles", "MessageFormat", "Git", "PatchText",
      ],
      path: "Sources/Git/Patching",
      swiftSettings: strict),
    .target(
      name: "Mailboxes",
      dependencies: [
        "Diagnostics", "GitModel", "MessageFormat", "Spool", "Host", grdb, logging,
      ], path: "Sources/Carriers/Mailboxes", swiftSettings: strict),
    .target(
      name: "Upstreams",
      dependencies: ["Diagnostics", "GitModel", "Git", "Host", "Programs", "Spool"],
      path: "Sources/Git/Upstreams", swiftSettings: strict),

    .target(
      name: "IronMQ", dependencies: ["Diagnostics", "Host", "WebClient"],
      path: "Sources/Carriers/IronMQ", swiftSettings: strict),

    // Layer 3: how sealed messages travel, and what a message needs is fetched.
    .target(
      name: "LargeFileFetching",
      dependencies: [
        "Diagnostics", "GitModel", "Threads", "Git", "Host", "LargeFiles", "Patching", "Programs",
        "Spool", "Upstreams", "WebClient",
      ], path: "Sources/Git/LargeFileFetching", swiftSettings: strict),
    .target(
      name: "CarrierProtocol",
      dependencies: [
        "Diagnostics", "Threads", "MessageFormat", "Sodium", "Sealing", "Mailboxes", "Host",
        logging,
      ], path: "Sources/Carriers/CarrierProtocol", swiftSettings: strict),

    // Layer 4: what moves them, one target a transport.
    .target(
      name: "ZeroMQCarrier",
      dependencies: [
        "Diagnostics", "Threads", "MessageFormat", "Sodium", "Sealing", "Mailboxes", "ZeroMQ",
        "Host", "CarrierProtocol", logging,
      ], path: "Sources/Carriers/ZeroMQCarrier", swiftSettings: strict),

    .target(
      name: "DirectoryCarrier",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Sealing", "Mailboxes", "SharedFiles", "Host",
        "CarrierProtocol", logging,
      ], path: "Sources/Carriers/DirectoryCarrier", swiftSettings: strict),

    .target(
      name: "InProcessCarrier",
      dependencies: ["MessageFormat", "Mailboxes", "Host", "CarrierProtocol"],
      path: "Sources/Carriers/InProcessCarrier", swiftSettings: strict),

    .target(
      name: "BrokerCarrier",
      dependencies: ["MessageFormat", "Sealing", "Mailboxes", "Host", "CarrierProtocol"],
      path: "Sources/Carriers/BrokerCarrier", swiftSettings: strict),

    // Layer 4: the two halves, and what stands between them; they never meet.
    .target(
      name: "Signer",
      dependencies: [
        "Diagnostics", "GitModel", "LargeFiles", "MessageFormat", "Sodium", "Git", "Compression",
        "Sealing", "Patching", "Mailboxes", "CarrierProtocol", "Host", "Programs", "Upstreams",
        "LargeFileFetching", grdb, logging,
      ], path: "Sources/Roles/Signer", swiftSettings: strict),
    .target(
      name: "Applier",
      dependencies: [
        "GitModel", "Diagnostics", "LargeFiles", "MessageFormat", "Sodium", "Git", "PatchText",
        "WorkingTree", "Compression", "Sealing", "Patching", "Mailboxes", "Host", "Threads",
        "Programs", "WebClient", grdb, logging,
      ], path: "Sources/Roles/Applier", swiftSettings: strict),

    .target(
      name: "Relay",
      dependencies: [
        "Diagnostics", "MessageFormat", "Sodium", "Spool", "Sealing", "Mailboxes",
        "CarrierProtocol", grdb, logging,
      ], path: "Sources/Roles/Relay", swiftSettings: strict),

    .target(
      name: "Hooks",
      dependencies: [
        "Diagnostics", "Threads", "MessageFormat", "Mailboxes", "Host", crypto, hummingbird,
        nioCore, nioPosix, nioHTTPTypes, nioSSL, grdb, logging,
      ], path: "Sources/Roles/Hooks", swiftSettings: strict),

    // Layer 5: brokers, one target each.
    .target(
      name: "RabbitMQCarrier",
      dependencies: [
        "Threads", "MessageFormat", "Sodium", "RabbitMQ", "Host", "CarrierProtocol",
        "BrokerCarrier", logging,
      ], path: "Sources/Carriers/RabbitMQCarrier", swiftSettings: strict),
    .target(
      name: "ActiveMQCarrier",
      dependencies: [
        "MessageFormat", "Sodium", "STOMP", "Host", "CarrierProtocol", "BrokerCarrier", logging,
      ], path: "Sources/Carriers/ActiveMQCarrier", swiftSettings: strict),

    .target(
      name: "IronMQCarrier",
      dependencies: [
        "MessageFormat", "Sodium", "Threads", "IronMQ", "Host", "CarrierProtocol", "BrokerCarrier",
        logging,
      ], path: "Sources/Carriers/IronMQCarrier", swiftSettings: strict),
    .target(
      name: "NATSCarrier",
      dependencies: [
        "MessageFormat", "Sodium", "NATS", "Host", "CarrierProtocol", "BrokerCarrier", logging,
      ], path: "Sources/Carriers/NATSCarrier", swiftSettings: strict),

    // Layer 5: what others are told of what receipts say.
    .target(
      name: "Reporting",
      dependencies: [
        "Diagnostics", "GitModel", "Threads", "MessageFormat", "Git", "Host", "WebClient", "Mail",
        "Programs", "Mailboxes", "Signer", crypto, grdb, logging,
      ], path: "Sources/Roles/Reporting", swiftSettings: strict),

    // Layer 6: commands, configuration, terminal; joins the halves.
    .executableTarget(
      name: "distro",
      dependencies: [
        "GitModel", "Diagnostics", "Threads", "MessageFormat", "Sodium", "Git", "LargeFiles",
        "Sealing", "Mailboxes", "CarrierProtocol", "ZeroMQCarrier", "RabbitMQ", "RabbitMQCarrier",
        "STOMP", "ActiveMQCarrier", "IronMQ", "IronMQCarrier", "NATS", "NATSCarrier",
        "DirectoryCarrier", "Signer", "Applier", "Relay", "Hooks", "Reporting", "WebClient", "Mail",
        "Host", "Patching", "Programs", "Upstreams", arguments, lifecycle, signals, yaml, logging,
      ], swiftSettings: generated, linkerSettings: [.unsafeFlags(standalone)]),

    // Tests mirror the targets.
    // `make bench`: runs the program above, and measures it beside what others do.
    .executableTarget(
      name: "distro-bench",
      dependencies: [
        "MessageFormat", "Sodium", "ZeroMQ", "ZeroMQCarrier", "Sealing", "Mailboxes",
        "CarrierProtocol", "InProcessCarrier", "BrokerCarrier", "BareBrokers", "DirectoryCarrier",
        "Host", "Signer", "Applier", "Threads", "TestSupport", grdb, logging,
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
        "CarrierProtocol", "InProcessCarrier", "Signer", "Applier", "TestSupport", grdb, logging,
      ], path: "Tests/Simulation", swiftSettings: generated),
    .target(
      name: "TestSupport",
      dependencies: [
        "GitModel", "Host", "MessageFormat", "Sodium", "Sealing", "Mailboxes", grdb, logging,
      ],
      path: "Tests/TestSupport", swiftSettings: strict),
    // Queues of real brokers without a carrier: what a carrier is compared with, and what stands between two of them.
    .target(
      name: "BareBrokers",
      dependencies: [
        "MessageFormat", "Threads", "Host", "CarrierProtocol", "BrokerCarrier", "RabbitMQ",
        "RabbitMQCarrier", "STOMP", "ActiveMQCarrier", "NATS", "NATSCarrier", "TestSupport",
      ], path: "Tests/BareBrokers", swiftSettings: strict),
    // An IronMQ server as its documentation describes it: tests cannot reach a real one.
    .target(
      name: "IronMQServer",
      dependencies: ["TestSupport", hummingbird, nioCore, nioPosix, nioHTTPTypes, logging],
      path: "Tests/IronMQServer", swiftSettings: tests),
    .testTarget(
      name: "CarriersTests",
      dependencies: [
        "CarrierProtocol", "ZeroMQCarrier", "InProcessCarrier", "DirectoryCarrier", "SharedFiles",
        "Mailboxes", "MessageFormat", "BrokerCarrier", "RabbitMQ", "RabbitMQCarrier", "STOMP",
        "ActiveMQCarrier", "IronMQ", "IronMQCarrier", "IronMQServer", "NATS",
        "NATSCarrier", "Sodium", "ZeroMQ",
        "Host",
        "Threads", "TestSupport", grdb, logging,
      ], swiftSettings: tests),
    .testTarget(name: "CompressionTests", dependencies: ["Compression"], swiftSettings: tests),
    .testTarget(name: "GitModelTests", dependencies: ["GitModel"], swiftSettings: tests),
    .testTarget(
      name: "GitTests", dependencies: ["Git", "GitModel", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "LargeFileFetchingTests",
      dependencies: [
        "LargeFileFetching", "LargeFiles", "Upstreams", "Host", "Git", "GitModel", "Programs",
        "WebClient", "TestSupport",
      ], swiftSettings: strict),
    .testTarget(
      name: "LargeFilesTests", dependencies: ["LargeFiles", "GitModel", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "IronMQTests",
      dependencies: ["IronMQ", "IronMQServer", "Host", "WebClient", "TestSupport"],
      swiftSettings: tests),
    .testTarget(name: "LayerTests", swiftSettings: tests),
    .testTarget(
      name: "HooksTests",
      dependencies: [
        "Hooks", "Diagnostics", "Host", "Mailboxes", "MessageFormat", "TestSupport", crypto,
        lifecycle, grdb,
        logging,
      ], exclude: ["Payloads"], swiftSettings: tests),
    .testTarget(
      name: "HostTests", dependencies: ["Host", "TestSupport"], swiftSettings: tests),
    .testTarget(name: "MailTests", dependencies: ["Mail", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "MailboxesTests",
      dependencies: [
        "Diagnostics", "GitModel", "Host", "Mailboxes", "MessageFormat", "Spool", "TestSupport",
        grdb,
      ],
      swiftSettings: tests),
    .testTarget(
      name: "PatchTextTests", dependencies: ["PatchText", "GitModel", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "PatchingTests",
      dependencies: ["Patching", "Git", "GitModel", "PatchText", "TestSupport"],
      exclude: ["Vectors"], swiftSettings: tests),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "GitModel", "MessageFormat", "Sodium", "Git", "PatchText", "ZeroMQ", "Compression",
        "Sealing", "Patching", "Mailboxes", "CarrierProtocol", "ZeroMQCarrier", "BrokerCarrier",
        "BareBrokers", "Signer", "Applier", "Host", "LargeFiles", "Threads", "TestSupport",
        "Upstreams", grdb, logging,
      ], swiftSettings: tests),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", "IronMQServer", grdb],
      swiftSettings: tests),
    .testTarget(
      name: "MessageFormatTests", dependencies: ["MessageFormat", "GitModel"],
      swiftSettings: tests),
    .testTarget(
      name: "ProgramsTests", dependencies: ["Programs", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "RelayTests",
      dependencies: [
        "Relay", "CarrierProtocol", "ZeroMQCarrier", "Host", "Mailboxes", "Sealing",
        "MessageFormat", "Sodium", "ZeroMQ", "Spool",
        "Threads", "TestSupport", grdb, logging,
      ], swiftSettings: tests),
    .testTarget(
      name: "ReportingTests",
      dependencies: [
        "Reporting", "Signer", "Mailboxes", "MessageFormat", "Sealing", "Sodium", "GitModel",
        "WebClient", "Mail", "Programs", "TestSupport", crypto, grdb,
      ], swiftSettings: tests),
    .testTarget(
      name: "SealingTests",
      dependencies: [
        "Sealing", "MessageFormat", "Sodium", "Spool", "Compression", "Git", "GitModel",
        "PatchText",
      ], exclude: ["Vectors"], swiftSettings: tests),
    .testTarget(
      name: "SodiumTests", dependencies: ["Sodium", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "SpoolTests", dependencies: ["Spool", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "STOMPTests", dependencies: ["STOMP", "Host", "Threads", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "UpstreamsTests",
      dependencies: ["Upstreams", "Host", "Git", "GitModel", "Programs", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "WebClientTests", dependencies: ["WebClient", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "WorkingTreeTests", dependencies: ["WorkingTree", "GitModel"],
      swiftSettings: tests),
    .testTarget(
      name: "ZeroMQTests", dependencies: ["ZeroMQ", "CZeroMQ", "Host", "Threads", "TestSupport"],
      swiftSettings: tests),
  ]
)
