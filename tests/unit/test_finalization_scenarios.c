/* Finalizers after PEP 442: what CPython's test_finalization asserts, asserted of librefheap. tests/SCENARIOS.md says
 * which test answers to which. */
#include "unit.h"

#include <string.h>

#include "../support/scenario.h"

enum { ROOM = 16 };

/* What a finalizer does beside taking note of itself. */
enum deed { NOTHING, SURVIVE, BREAK_LINKS };

struct mortal {
    RH_OBJECT_HEAD;
    struct mortal *left, *right, *self;
    const void *made_as; /* its own address, to see whether it is whole */
    enum deed deed;
    char in_chain, holds_itself, links_broken;
};

static const struct rh_field mortal_fields[] = {
    RH_STRONG(struct mortal, left),
    RH_STRONG(struct mortal, right),
    RH_STRONG(struct mortal, self),
};

/* No references: for the collector it is not there. */
struct atom {
    RH_OBJECT_HEAD;
    int64_t survives;
};

static const struct rh_field atom_fields[] = {RH_VALUE_INT(struct atom, survives)};

/* A list of addresses, for comparing; and what survived, held. */
struct ids {
    const void *of[ROOM];
    size_t count;
};

static struct ids finalized, legacy_finalized;
static struct rh_object *survivors[ROOM];
static size_t survivor_count, damaged;
static int cleaning;

static void ids_add(struct ids *ids, const void *id)
{
    assert_true(ids->count < ROOM);
    ids->of[ids->count++] = id;
}

static size_t ids_have(const struct ids *ids, const void *id)
{
    size_t n = 0;
    for (size_t i = 0; i < ids->count; i++)
        n += ids->of[i] == id;
    return n;
}

static void assert_same_ids(const struct ids *got, const struct ids *want)
{
    assert_int_equal(got->count, want->count);
    for (size_t i = 0; i < want->count; i++)
        assert_int_equal(ids_have(got, want->of[i]), ids_have(want, want->of[i]));
}

static void assert_survivors(const struct ids *want)
{
    struct ids got = {{0}, 0};
    for (size_t i = 0; i < survivor_count; i++)
        ids_add(&got, survivors[i]);
    assert_same_ids(&got, want);
}

static void survive(void *object)
{
    assert_true(survivor_count < ROOM);
    rh_incref(object);
    survivors[survivor_count++] = object;
}

/* Each of them may come back at once. */
static void drop_survivors(void)
{
    struct rh_object *dropped[ROOM];
    size_t count = survivor_count;
    memcpy(dropped, survivors, sizeof dropped);
    survivor_count = 0;
    while (count)
        rh_decref(dropped[--count]);
}

static int is_whole(const struct mortal *m)
{
    const struct mortal *left = m->left, *right = m->right;
    if (m->made_as != m || (m->holds_itself && m->self != m))
        return 0;
    if (m->links_broken)
        return !left && !right;
    if (!m->in_chain)
        return 1;
    /* A neighbour either holds its end of the link or has let go of both of its own. */
    return left && left->right == (left->links_broken ? NULL : m) && right &&
           right->left == (right->links_broken ? NULL : m);
}

static void act(struct mortal *m)
{
    if (m->deed == SURVIVE)
        survive(m);
    if (m->deed != BREAK_LINKS)
        return;
    m->links_broken = m->in_chain;
    m->holds_itself = 0;
    rh_assign(&m->left, NULL);
    rh_assign(&m->right, NULL);
    rh_assign(&m->self, NULL);
}

static void finalize(struct rh_object *object)
{
    struct mortal *m = (struct mortal *)object;
    if (cleaning)
        return;
    ids_add(&finalized, m);
    damaged += !is_whole(m);
    act(m);
}

/* Of types that have both, this one only takes note: the deed is the legacy finalizer's. */
static void finalize_only_note(struct rh_object *object)
{
    if (cleaning)
        return;
    ids_add(&finalized, object);
    damaged += !is_whole((struct mortal *)object);
}

static void legacy_finalize(struct rh_object *object)
{
    if (cleaning)
        return;
    ids_add(&legacy_finalized, object);
    damaged += !is_whole((struct mortal *)object);
    act((struct mortal *)object);
}

static void finalize_atom(struct rh_object *object)
{
    if (cleaning)
        return;
    ids_add(&finalized, object);
    if (((struct atom *)object)->survives)
        survive(object);
}

static struct rh_type *type_with(struct rh_heap *heap, void (*with)(struct rh_object *),
                                 void (*legacy)(struct rh_object *))
{
    struct rh_type_spec spec = RH_TYPE_SPEC("mortal", struct mortal, mortal_fields);
    struct rh_type *type;
    spec.finalize = with;
    spec.legacy_finalize = legacy;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    return type;
}

static struct mortal *mortal_new(struct rh_type *type, enum deed deed)
{
    struct mortal *m = rh_object_new(type);
    assert_non_null(m);
    m->made_as = m;
    m->deed = deed;
    return m;
}

static struct mortal *mortal_holding_itself(struct rh_type *type, enum deed deed)
{
    struct mortal *m = mortal_new(type, deed);
    rh_assign(&m->self, m);
    m->holds_itself = 1;
    return m;
}

static struct rh_heap *begin(void)
{
    finalized.count = legacy_finalized.count = 0;
    survivor_count = damaged = 0;
    cleaning = 0;
    return things_heap();
}

/* Nothing may be left, and no finalizer may have seen an object in pieces. */
static void end(struct rh_heap *heap)
{
    cleaning = 1;
    drop_survivors();
    if (rh_garbage(heap))
        rh_list_clear(rh_garbage(heap));
    rh_collect(heap, RH_OLD);
    assert_int_equal(damaged, 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void assert_no_garbage(const struct rh_heap *heap)
{
    assert_int_equal(rh_garbage(heap) ? rh_list_length(rh_garbage(heap)) : 0, 0);
}

static void assert_gone(const struct rh_object *weakref)
{
    assert_null(rh_weakref_get(weakref));
}

static const struct ids nobody;

/* ---- without a cycle ---- */

static void scenario__finalizer_runs_once_when_the_count_ends(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_new(type_with(heap, finalize, NULL), NOTHING);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_no_garbage(heap);
    rh_decref(w);
    end(heap);
}

/* Who comes back as its count ends keeps its weak references, and is not finalized again. */
static void scenario__finalizer_brings_back_what_its_count_gave_up(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_new(type_with(heap, finalize, NULL), SURVIVE);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&ids);
    void *got = rh_weakref_get(w);
    assert_ptr_equal(got, m);
    rh_decref(got);
    drop_survivors();
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    rh_decref(w);
    end(heap);
}

static struct rh_type *atom_type(struct rh_heap *heap)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("atom", struct atom, atom_fields);
    struct rh_type *type;
    spec.finalize = finalize_atom;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    return type;
}

static void scenario__finalizer_of_an_untracked_object(void **state)
{
    struct rh_heap *heap = begin();
    struct atom *atom = rh_object_new(atom_type(heap));
    const struct ids ids = {{atom}, 1};
    (void)state;
    assert_false(rh_is_tracked(atom));
    rh_decref(atom);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    end(heap);
}

/* Only what the collector can track remembers that it was finalized: an atomic object is each time. */
static void scenario__finalizer_brings_an_untracked_object_back_each_time(void **state)
{
    struct rh_heap *heap = begin();
    struct atom *atom = rh_object_new(atom_type(heap));
    const struct ids once = {{atom}, 1}, twice = {{atom, atom}, 2};
    (void)state;
    atom->survives = 1;
    assert_false(rh_is_tracked(atom));
    rh_decref(atom);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &once);
    assert_survivors(&once);
    drop_survivors();
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &twice);
    assert_survivors(&once);
    end(heap);
}

/* ---- a cycle of one ---- */

static void scenario__finalizer_runs_once_in_a_cycle_of_one(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_holding_itself(type_with(heap, finalize, NULL), NOTHING);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    assert_same_ids(&finalized, &nobody);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_same_ids(&finalized, &ids);
    assert_no_garbage(heap);
    rh_decref(w);
    end(heap);
}

/* Unlike above, weak references are cleared before finalizers run in a collection: they stay so. */
static void scenario__finalizer_brings_a_cycle_of_one_back_once(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_holding_itself(type_with(heap, finalize, NULL), SURVIVE);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&ids);
    assert_gone(w);
    drop_survivors();
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    rh_decref(w);
    end(heap);
}

/* The finalizer drops the last reference to its own object: there is nothing left to clear, and nothing is counted. */
static void scenario__finalizer_ends_its_own_cycle(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_holding_itself(type_with(heap, finalize, NULL), BREAK_LINKS);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_same_ids(&finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    assert_int_equal(objects_alive(heap), 1); /* the weak reference */
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_gone(w);
    rh_decref(w);
    end(heap);
}

/* ---- a closed chain ---- */

struct chain {
    struct ids all, survivors;
    struct rh_object *weak[ROOM];
};

/* A ring linked both ways, held by nobody, with a weak reference to each. */
static struct chain chain_new(struct rh_heap *heap, const enum deed *deeds, size_t n)
{
    struct rh_type *type = type_with(heap, finalize, NULL);
    struct chain chain = {{{0}, 0}, {{0}, 0}, {0}};
    struct mortal *m[ROOM];
    for (size_t i = 0; i < n; i++)
        m[i] = mortal_new(type, deeds[i]);
    for (size_t i = 0; i < n; i++) {
        struct mortal *left = m[(i + n - 1) % n];
        rh_assign(&m[i]->left, left);
        rh_assign(&left->right, m[i]);
        m[i]->in_chain = 1;
        ids_add(&chain.all, m[i]);
        if (deeds[i] == SURVIVE)
            ids_add(&chain.survivors, m[i]);
        chain.weak[i] = rh_weakref_new(m[i], NULL, NULL);
    }
    for (size_t i = 0; i < n; i++)
        rh_decref(m[i]);
    return chain;
}

/* Every one of the chain is finalized once, and those that want to live do, once. */
static void check_chain(const enum deed *deeds, size_t n)
{
    struct rh_heap *heap = begin();
    struct chain chain = chain_new(heap, deeds, n);
    assert_same_ids(&finalized, &nobody);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &chain.all);
    assert_survivors(&chain.survivors);
    for (size_t i = 0; i < n; i++)
        assert_gone(chain.weak[i]);
    drop_survivors();
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &chain.all);
    assert_survivors(&nobody);
    assert_int_equal(objects_alive(heap), n); /* the weak references */
    assert_no_garbage(heap);
    for (size_t i = 0; i < n; i++)
        rh_decref(chain.weak[i]);
    end(heap);
}

static void scenario__chain_that_goes(void **state)
{
    const enum deed deeds[] = {NOTHING, NOTHING, NOTHING};
    (void)state;
    check_chain(deeds, 3);
}

static void scenario__chain_that_comes_back(void **state)
{
    const enum deed deeds[] = {SURVIVE, SURVIVE, SURVIVE};
    (void)state;
    check_chain(deeds, 3);
}

static void scenario__chain_that_takes_itself_apart(void **state)
{
    const enum deed deeds[] = {BREAK_LINKS, BREAK_LINKS, BREAK_LINKS};
    (void)state;
    check_chain(deeds, 3);
}

static void scenario__chain_of_which_every_other_takes_itself_apart(void **state)
{
    const enum deed deeds[] = {BREAK_LINKS, NOTHING, BREAK_LINKS, NOTHING};
    (void)state;
    check_chain(deeds, 4);
}

static void scenario__chain_of_which_half_takes_itself_apart(void **state)
{
    const enum deed deeds[] = {BREAK_LINKS, BREAK_LINKS, NOTHING, NOTHING};
    (void)state;
    check_chain(deeds, 4);
}

static void scenario__chain_of_which_every_other_comes_back(void **state)
{
    const enum deed deeds[] = {SURVIVE, NOTHING, SURVIVE, NOTHING};
    (void)state;
    check_chain(deeds, 4);
}

static void scenario__chain_with_all_three_in_turn(void **state)
{
    const enum deed deeds[] = {SURVIVE, NOTHING, BREAK_LINKS, SURVIVE, NOTHING, BREAK_LINKS};
    (void)state;
    check_chain(deeds, 6);
}

static void scenario__chain_with_all_three_in_blocks(void **state)
{
    const enum deed deeds[] = {SURVIVE, SURVIVE, NOTHING, NOTHING, BREAK_LINKS, BREAK_LINKS};
    (void)state;
    check_chain(deeds, 6);
}

/* ---- legacy finalizers ---- */

static void scenario__legacy_finalizer_runs_after_the_finalizer(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_new(type_with(heap, finalize_only_note, legacy_finalize), NOTHING);
    const struct ids ids = {{m}, 1};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_same_ids(&legacy_finalized, &ids);
    assert_survivors(&nobody);
    assert_gone(w);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &ids);
    assert_same_ids(&legacy_finalized, &ids);
    rh_decref(w);
    end(heap);
}

/* The finalizer runs once, the legacy one each time, behind weak references that are cleared already. */
static void scenario__legacy_finalizer_brings_back_each_time(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_new(type_with(heap, finalize_only_note, legacy_finalize), SURVIVE);
    const struct ids once = {{m}, 1}, twice = {{m, m}, 2};
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &once);
    assert_same_ids(&legacy_finalized, &once);
    assert_survivors(&once);
    assert_gone(w);
    drop_survivors();
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &once);
    assert_same_ids(&legacy_finalized, &twice);
    assert_survivors(&once);
    assert_gone(w);
    rh_decref(w);
    end(heap);
}

/* Neither finalizer is run: the object is kept for the program to break its cycle. */
static void scenario__legacy_finalizer_in_a_cycle_of_one_makes_garbage(void **state)
{
    struct rh_heap *heap = begin();
    struct mortal *m = mortal_holding_itself(type_with(heap, finalize_only_note, legacy_finalize), NOTHING);
    struct rh_object *w = rh_weakref_new(m, NULL, NULL);
    (void)state;
    rh_decref(m);
    rh_collect(heap, RH_OLD);
    assert_same_ids(&finalized, &nobody);
    assert_same_ids(&legacy_finalized, &nobody);
    assert_survivors(&nobody);
    assert_int_equal(rh_list_length(rh_garbage(heap)), 1);
    assert_ptr_equal(rh_list_get(rh_garbage(heap), 0), m);
    void *got = rh_weakref_get(w);
    assert_ptr_equal(got, m);
    rh_decref(got);
    m->holds_itself = 0;
    rh_assign(&m->self, NULL);
    rh_list_clear(rh_garbage(heap));
    rh_collect(heap, RH_OLD);
    assert_no_garbage(heap);
    assert_gone(w);
    rh_decref(w);
    end(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__finalizer_runs_once_when_the_count_ends),
        cmocka_unit_test(scenario__finalizer_brings_back_what_its_count_gave_up),
        cmocka_unit_test(scenario__finalizer_of_an_untracked_object),
        cmocka_unit_test(scenario__finalizer_brings_an_untracked_object_back_each_time),
        cmocka_unit_test(scenario__finalizer_runs_once_in_a_cycle_of_one),
        cmocka_unit_test(scenario__finalizer_brings_a_cycle_of_one_back_once),
        cmocka_unit_test(scenario__finalizer_ends_its_own_cycle),
        cmocka_unit_test(scenario__chain_that_goes),
        cmocka_unit_test(scenario__chain_that_comes_back),
        cmocka_unit_test(scenario__chain_that_takes_itself_apart),
        cmocka_unit_test(scenario__chain_of_which_every_other_takes_itself_apart),
        cmocka_unit_test(scenario__chain_of_which_half_takes_itself_apart),
        cmocka_unit_test(scenario__chain_of_which_every_other_comes_back),
        cmocka_unit_test(scenario__chain_with_all_three_in_turn),
        cmocka_unit_test(scenario__chain_with_all_three_in_blocks),
        cmocka_unit_test(scenario__legacy_finalizer_runs_after_the_finalizer),
        cmocka_unit_test(scenario__legacy_finalizer_brings_back_each_time),
        cmocka_unit_test(scenario__legacy_finalizer_in_a_cycle_of_one_makes_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
