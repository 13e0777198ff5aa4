import ArgumentParser

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks for what would keep a role from working, and says what to do about it.",
    discussion: """
      Takes the configuration of any role, or that of 'distro serve'. Run it as the user that the service runs as. \
      Changes nothing. Exits with 1 where there is a problem; warnings alone exit with 0.

        sudo -u distro distro doctor --config /etc/distro/applier.yaml
      """)

  @Option(help: "The configuration of a relay, a signer, an applier, hooks, or of 'distro serve'.")
  var config: String

  @Flag(help: "Prints the findings as JSON.")
  var json = false

  func run() throws {
    var examination = Examination()
    HostChecks.run(&examination)
    ConfigurationChecks(path: config).run(&examination)
    Terminal.print(json ? try examination.json() : examination.text(.ofOutput()))
    if examination.hasProblems { throw ExitCode(.fault) }
  }
}
