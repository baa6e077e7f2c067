/* The same objects by std::make_shared. With an argument a thread has run before, so that references are counted
 * atomically, as in any program with threads. */
#include <memory>
#include <thread>
#include <vector>

#include "objects.h"

struct node {
    std::shared_ptr<node> a, b;
};

int main(int argc, char **)
{
    if (argc > 1)
        std::thread([] {}).join();
    std::vector<std::shared_ptr<node>> all(OBJECTS);
    for (int round = 0; round < ROUNDS; round++) {
        double start = nanoseconds();
        for (auto &slot : all)
            slot = std::make_shared<node>();
        double made = nanoseconds();
        for (int turn = 0; turn < TURNS; turn++)
            for (const auto &slot : all) {
                auto copy = slot;
                USE(copy.get());
            }
        double referred = nanoseconds();
        for (auto &slot : all)
            slot.reset();
        double freed = nanoseconds();
        for (int i = 0; i < OBJECTS; i++) {
            auto object = std::make_shared<node>();
            USE(object.get());
        }
        say(start, made, referred, freed, nanoseconds());
    }
    return 0;
}
