import GitModel
import MessageFormat

/// What a code host is to show: values made of values.
struct StatusBoard {
  let target: StatusTarget

  /// Of the newest revision of each branch. Two branches may be at the same one: its lines are of both.
  func items(of machines: [MachineState]) -> [StatusItem] {
    let own = machines.filter { $0.stream.remote == target.remote }
    return Dictionary(grouping: own, by: \.head).sorted { $0.key < $1.key }.flatMap {
      items(at: $0.key, $0.value)
    }
  }

  private func items(at revision: ObjectID, _ machines: [MachineState]) -> [StatusItem] {
    let branch = machines[0].stream.branch
    let fleet = Self.fleet(machines.map(\.progress))
    var items = [
      StatusItem(key(revision, .fleet, "distro"), branch: branch, fleet.state, fleet.text)
    ]
    if target.makesDeployments, target.host.makesDeployments {
      for (stream, members) in Dictionary(grouping: machines, by: \.stream)
        .sorted(by: { $0.key < $1.key })
      {
        let (state, text) = Self.fleet(members.map(\.progress))
        items.append(
          StatusItem(
            key(revision, .deployment, Self.environment(of: stream.branch)),
            branch: stream.branch, state, target.host == .gitlab ? "" : text))
      }
    }
    guard target.showsMachines else { return items }
    let names = Dictionary(grouping: machines, by: \.name).sorted { $0.key < $1.key }
    for (name, members) in names {
      // Of two checkouts of a machine, the one that lags is what there is to say.
      let worst = members.min { Self.rank($0.progress) < Self.rank($1.progress) } ?? members[0]
      let text =
        worst.progress == .applied
        ? "applied \(revision.abbreviated) sequence \(worst.sequence)" : worst.progress.text
      items.append(
        StatusItem(
          key(revision, .machine, "distro/\(name)"), branch: worst.stream.branch,
          worst.progress.state, text))
    }
    return items
  }

  /// The last word on a line of a revision that its branch has left. `answers`: what the machines have said of the messages
  /// that led there, by their names.
  func ending(
    _ key: StatusItem.Key, on branch: BranchName, answers: [String: MachineState.Progress],
    successor: ObjectID
  ) -> StatusItem {
    let known: [MachineState.Progress]
    switch key.kind {
    case .machine:
      known = answers.filter { "distro/\($0.key)" == key.context }.map(\.value)
    case .fleet, .deployment: known = Array(answers.values)
    }
    let fleet = Self.fleet(known)
    let isMute = key.kind == .deployment && target.host == .gitlab
    guard known.isEmpty || fleet.state == .pending else {
      let text =
        isMute
        ? ""
        : key.kind == .machine
          ? known[0] == .applied ? "applied \(key.revision.abbreviated)" : known[0].text
          : fleet.text
      return StatusItem(key, branch: branch, fleet.state, text)
    }
    let reached = key.kind == .machine || known.isEmpty ? "" : "; \(fleet.text)"
    return StatusItem(
      key, branch: branch, .superseded,
      isMute ? "" : "superseded by \(successor.abbreviated)\(reached)")
  }

  private func key(
    _ revision: ObjectID, _ kind: StatusItem.Kind, _ context: String
  ) -> StatusItem.Key {
    StatusItem.Key(remote: target.remote, revision: revision, kind: kind, context: context)
  }

  /// `17/18 applied, 1 refused`.
  private static func fleet(
    _ members: [MachineState.Progress]
  ) -> (state: StatusState, text: String) {
    let applied = members.count { $0 == .applied }
    let refused = members.compactMap { if case .refused(let name) = $0 { name } else { nil } }
    let text = "\(applied)/\(members.count) applied"
    guard refused.isEmpty else {
      let names = Set(refused).sorted().joined(separator: ", ")
      return (.failure, "\(text), \(refused.count) refused: \(names)")
    }
    return (applied == members.count ? .success : .pending, text)
  }

  private static func rank(_ progress: MachineState.Progress) -> Int {
    switch progress {
    case .refused: 0
    case .pending: 1
    case .applied: 2
    }
  }

  /// As GitLab and GitHub take it: letters, digits, `-`, `_` and `/`.
  private static func environment(of branch: BranchName) -> String {
    let plain = branch.shortName.unicodeScalars.map { scalar -> Unicode.Scalar in
      let isPlain =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || "-_/".unicodeScalars.contains(scalar))
      return isPlain ? scalar : "-"
    }
    return "distro/" + String(String.UnicodeScalarView(plain.prefix(200)))
  }
}
