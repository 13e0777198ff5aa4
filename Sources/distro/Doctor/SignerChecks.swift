import Git
import Sealing
import Signer

/// What a signer needs: repositories that can be sent, and carriers that take what it sends.
struct SignerChecks {
  let settings: SignerSettings

  func run(_ examination: inout Examination) {
    for repository in settings.repositories { check(repository, &examination) }
    let recipients = Set(settings.repositories.flatMap(\.recipients))
      .sorted { $0.name.text < $1.name.text }
    for carrier in settings.carriers {
      // A carrier that is a recipient itself leads to no other.
      let own = recipients.filter { $0.mailbox == carrier.server?.mailbox }
      CarrierKinds.examine(
        carrier, as: settings.identity, readers: own.isEmpty ? recipients : own, &examination)
    }
  }

  private func check(_ configured: SignerRepository, _ examination: inout Examination) {
    if case .upstream(let place) = configured.source {
      UpstreamChecks(place: place, branches: configured.branches).run(&examination)
      if place.isThere { SubmoduleChecks(configured: configured).run(&examination) }
      return
    }
    let subject = configured.path
    do {
      let repository = try Repository(opening: configured.path)
      if try repository.isShallow {
        examination.fail(
          .repository, subject, "is a shallow clone: patches cannot be made of what is not there",
          do: "git fetch --unshallow")
        return
      }
      let tips = try configured.branches.tips(in: repository)
      for pattern in configured.branches.all where !tips.keys.contains(where: pattern.matches) {
        examination.warn(
          .repository, subject, "has no branch \(pattern) yet",
          do: "push it, or correct 'branches:'")
      }
      examination.ok(.repository, subject, "can be sent")
      SubmoduleChecks(configured: configured).run(&examination)
    } catch {
      examination.fail(.repository, subject, error)
    }
  }
}
